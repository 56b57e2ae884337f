"""What was asked, as tables."""
