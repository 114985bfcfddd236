"""What all HTTP cameras of a process share: connections, places at hosts, logging in, errors in plain words."""
