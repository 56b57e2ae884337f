"""Reads and checks a query specification, member by member."""
