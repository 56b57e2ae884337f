"""Rolling restarts: the rule, the order, health, and the progress of a restart."""
