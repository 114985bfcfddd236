"""Jobs: those whose clients are heard, and those that the gateway takes uploads for."""
