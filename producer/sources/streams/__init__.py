"""Streams and video files, decoded in child processes that can be killed: FFmpeg is where cameras hang and crash."""
