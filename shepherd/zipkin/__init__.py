"""Zipkin's protocol: spans as JSON, version 1 and 2, and as protobuf (ADR 0054)."""
