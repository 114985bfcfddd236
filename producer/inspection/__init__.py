"""Is this frame worth sending, and is the camera well? Pure: pictures and times in, verdicts out."""
