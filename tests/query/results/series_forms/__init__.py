"""Tests of the forms of series."""
