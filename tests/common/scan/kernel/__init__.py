"""The compiled scanner, each part alone."""
