"""Precompiling, with a kernel of three lines."""
