"""The file that names the cameras, cameras.yaml: read, checked, compared and watched (docs/cameras.md)."""
