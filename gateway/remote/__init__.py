"""The remote lane as operators see it: paused, resumed, its budget raised."""
