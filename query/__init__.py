"""Specification, plan, scatter, share, merge and results (I7)."""
