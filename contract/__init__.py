"""All that crosses a process boundary, and nothing else: messages, answers and topology as data. Pure."""
