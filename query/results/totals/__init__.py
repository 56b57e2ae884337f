"""The listed groups of a question, what all others come to, and their series."""
