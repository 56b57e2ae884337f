"""The share executor: computes a share, an indexer's part of a query, with a confined DuckDB."""
