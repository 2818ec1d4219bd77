"""What goods cost and what their movements are worth, where the hub values stock."""
