"""One module for each server: its settings, start, readiness and faults."""
