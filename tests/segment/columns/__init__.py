"""Tests of columns, digests and segments."""
