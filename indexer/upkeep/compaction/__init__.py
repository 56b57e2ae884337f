"""Compaction beside indexing: when it runs, who of a pair does it, and how much it may use."""
