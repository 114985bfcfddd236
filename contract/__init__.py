"""What crosses a process boundary, and nothing else: messages and topology as data. Pure."""
