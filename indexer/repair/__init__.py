"""Segment objects that are damaged or missing: found, and put again (I4)."""
