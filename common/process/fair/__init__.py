"""Slots shared fairly between environments and their keys (I14)."""
