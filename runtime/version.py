"""The version that heartbeats and the gateway report."""

VERSION = "0.1.0"
