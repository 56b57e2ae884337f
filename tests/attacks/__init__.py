"""What one client may do to the others: attacks, each with a victim of another environment."""
