"""Segments: columns of a dataset's events, their digest, and their Parquet files."""
