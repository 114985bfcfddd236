"""The fire drill: `make drill`. Twelve faults, and for each the alert that is meant for it (docs/alerts.md)."""
