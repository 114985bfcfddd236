"""Prometheus: asked for the cards, and passed on to whoever asks PromQL."""
