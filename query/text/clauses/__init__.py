"""The clauses of a query text, but for WHERE."""
