"""Results of queries: run, kept for their callers, and fetched at any query role."""
