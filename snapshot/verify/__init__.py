"""Verification: what was published exists, is undamaged, and is as its manifest lists it."""
