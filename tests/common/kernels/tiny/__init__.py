"""The sources of the smallest kernel there is."""
