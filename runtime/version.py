"""The version of Framefleet: what heartbeats, the gateway and `framefleet --version` report."""

VERSION = "0.1.0"
