"""The way of frames to one task queue: turns, window, and the carrier."""
