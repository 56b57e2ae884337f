"""Questions with conditions on other spans of the traces, or with fields of those."""
