"""One module for each kind of source; all of them yield frames as `producer.frames.Source` says."""
