"""The gateway's end of TCP: the port, and uvicorn with connections that nobody can hold for ever."""
