"""Verification: what was published is there, whole, and as its manifest lists it."""
