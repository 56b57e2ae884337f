"""Damaged or missing segment objects: found and put again (I4)."""
