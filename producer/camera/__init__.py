"""One camera while this producer has it: its settings, its state, and the task that captures its frames."""
