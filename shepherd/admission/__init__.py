"""What is let in: events by key, bytes and requests by environment and key, bodies to decode."""
