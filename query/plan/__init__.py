"""A query specification, and the plan made of it that every share computes."""
