"""Which partitions this indexer holds: the plan, the next steps, the claims and their tasks."""
