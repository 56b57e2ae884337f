"""Rows that are sent: which cells, in which order, with which values."""
