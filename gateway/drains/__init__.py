"""Putting workers out of work in order, and calling them back: desired by operators, kept, announced."""
