"""Rows of datasets by their definitions: joined with keys of other spans, or by their ends."""
