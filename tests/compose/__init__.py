"""What can only be seen with a Docker engine: run by hand, `python -m tests.compose.hour`."""
