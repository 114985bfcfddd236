"""What the gateway knows of the cameras, from producers and results."""
