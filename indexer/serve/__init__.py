"""The indexer's internal HTTP, and the leases under which shares read a partition."""
