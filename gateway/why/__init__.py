"""Why a frame was computed or not, from everything that this gateway knows or can ask."""
