"""Measurements: ratios within one run, medians, and the machine that they were taken on."""
