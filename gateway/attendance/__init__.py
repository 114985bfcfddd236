"""Who is watching: how many users and sessions are here now, by device, at no cost to them (docs/viewers.md)."""
