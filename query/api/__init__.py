"""Routes of the vendor's query and management API and of our own; stored results."""
