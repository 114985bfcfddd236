"""The history: what came of every frame, when somebody was there, and how busy each minute was (docs/history.md)."""
