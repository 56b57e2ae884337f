"""Routes of the vendor's query and management API and of Bellwether's own; stored results."""
