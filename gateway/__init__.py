"""Results to browsers: the hub, the HTTP and WebSocket faces, history, the PromQL proxy, authentication."""
