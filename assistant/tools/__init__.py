"""The tools that an agent sees, one subject per module."""
