"""The questions in every engine's language, and whether two answers are the same."""
