"""Following events as they are indexed: each tail, their registry, and tails with conditions."""
