"""What every service's process needs and is not a contract: settings, logs, probes. Imports nothing of the services."""
