"""Results as they come, to viewers over WebSocket."""
