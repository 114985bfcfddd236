"""Alerts, the rules that they come of, what silences them, and what to do about them."""
