"""Skeletons of what is added most: `python -m tillbridge.app.scaffold NAME` writes a connector."""
