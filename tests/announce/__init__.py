"""Spans announced at their start (examples/announce), by programs that are killed in the middle."""
