"""Bodies between query roles and indexers, besides plans and shares."""
