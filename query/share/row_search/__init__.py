"""Rows themselves, with all of their fields or some: which, and how they are read."""
