"""Status, doctor and, later, rolling restarts and drills."""
