"""The claims of an indexer: the plan, the next steps, and the tasks of the partitions it holds."""
