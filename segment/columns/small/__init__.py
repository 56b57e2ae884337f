"""Segments of a few rows, written in one call and read without Arrow."""
