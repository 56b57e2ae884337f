"""The route of shares: who is computed for, when, and how much of it at once."""
