"""Compiling ahead, with a kernel of three lines."""
