"""Bodies that a query role and an indexer exchange beside plans and shares."""
