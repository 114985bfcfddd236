"""Offline work through the cluster's batch lane: folders of pictures, and videos."""
