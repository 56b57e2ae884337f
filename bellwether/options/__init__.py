"""Options that several commands have: where the server is, whose key, and what Tab completes."""
