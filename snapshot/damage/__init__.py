"""Damaged records and diverging twins: what is missing, and what an operator settled (I7, I13)."""
