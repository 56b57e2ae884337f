"""Plain text: patterns, continuation lines, times within a line."""
