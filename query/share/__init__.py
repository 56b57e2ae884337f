"""The share executor: an indexer's part of a query, computed by a locked-down DuckDB."""
