"""States and flows: events as steps of instances: what follows what, and what overlaps."""
