"""Rolling restarts: the rule, the order, health, and where one stands."""
