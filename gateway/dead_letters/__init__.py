"""Dead letters to people: looked at, grouped, replayed and purged, and who did that."""
