"""Zipkin out: its read API over the traces that are stored."""
