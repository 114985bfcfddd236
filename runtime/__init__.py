"""What every service's process needs and is no contract: settings, logs, probes. Imports nothing of the services."""
