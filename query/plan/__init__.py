"""Reads and checks a query specification, and makes the plan that every share computes."""
