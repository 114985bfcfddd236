"""The file that names the cameras, cameras.yaml: how it is read, checked, compared and watched (docs/cameras.md)."""
