"""Conditions on other spans of a trace (`root.name`, `none.error`), and traces found by them."""
