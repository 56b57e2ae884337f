"""Measurements: what a machine does with Bellwether, printed with what it is."""
