"""Grafana's dashboards as code, a module for each: `python -m deploy.grafana.boards` writes the JSON."""
