"""Expiry and deletion of rows, trimming of the log, and the clocks trusted for them (I13)."""
