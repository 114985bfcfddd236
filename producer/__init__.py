"""Frames from cameras, files and folders to a task queue: `python -m producer`."""
