"""The operator's command, `framefleet`, and what it runs on one machine."""
