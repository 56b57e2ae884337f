"""The indexer's internal HTTP, and the leases under which query shares read a partition."""
