"""One module for each kind of source; all yield frames through the protocol `producer.frames.Source`."""
