"""What an indexer does beside indexing: smaller, checked, summarized and exported (I4)."""
