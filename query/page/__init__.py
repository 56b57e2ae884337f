"""What serves the page: its files, and sessions for people who have a key."""
