"""HTTP cameras, top to bottom: stills and MJPEG, the address, connections and logins, answers and their pictures."""
