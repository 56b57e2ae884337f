"""Columns: fields of stored events, and what users say of them."""
