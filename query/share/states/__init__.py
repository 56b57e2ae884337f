"""What a share computes: SQL statements, and the typed columns that they return."""
