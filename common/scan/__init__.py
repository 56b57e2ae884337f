"""Scanning: bytes from the outside become tokens, times and events (I9). Shared by the roles."""
