"""A job's results as files, written from its books: exactly one line per input, however often it was interrupted."""
