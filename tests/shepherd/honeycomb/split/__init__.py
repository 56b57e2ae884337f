"""The compiled splitter and its reference."""
