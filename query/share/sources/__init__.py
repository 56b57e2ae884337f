"""The source rows of a share in SQL: their columns, and conditions on them."""
