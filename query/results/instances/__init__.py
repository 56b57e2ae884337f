"""Answers over instances: one row of each, and the question over these rows."""
