"""Traces that show what some events are like: of the slowest, a typical and a failed one."""
