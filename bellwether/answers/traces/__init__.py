"""Traces on the command line."""
