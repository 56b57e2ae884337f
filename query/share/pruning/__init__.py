"""Which segments a question need not read, as none of their rows can match its filters."""
