"""A query specification is read, checked, and turned into the plan that every share computes."""
