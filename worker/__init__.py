"""Frames to detections to results. `python -m worker`."""
