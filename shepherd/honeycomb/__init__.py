"""The vendor's ingest API: JSON and msgpack bodies, its responses, its auth route."""
