"""The share executor: one partition set's part of a query, computed by a locked-down DuckDB."""
