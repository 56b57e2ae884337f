"""The public query API: routes, access, problem documents, stored results."""
