"""Computes one share with a confined DuckDB: its bounds, and the bytes that it comes to."""
