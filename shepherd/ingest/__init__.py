"""The ingest seam: what a protocol is, and the way of its requests that is the same for all."""
