"""Damaged records and diverging twins: what is missing, and what was settled (I7, I13)."""
