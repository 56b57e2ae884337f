"""The conditions of a query text: of WHERE, and of one calculation."""
