"""The senders that operators have named: kept in a file, followed while it changes, announced to the workers."""
