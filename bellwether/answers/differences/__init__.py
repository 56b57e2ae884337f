"""Shows in which fields events differ."""
