"""Which partitions this indexer holds: the plan, the next steps, and the claims themselves."""
