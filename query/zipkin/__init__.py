"""Zipkin's read API over all traces, for its page and for Grafana (ADR 0054)."""
