"""Cuts become segments, and segments are published in order (I3, I4)."""
