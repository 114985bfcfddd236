"""What holds for every endpoint: the document, errors, deadlines, answers."""
