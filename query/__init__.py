"""Queries: specification, plan, scatter, share, merge and results (I7).

Share: one indexer's part of a query, computed over the partitions that it holds.
Twin: the other indexer of a partition; it can answer instead.
Undecided: a rerouted batch of which it is not known yet in which partition it counts.
Receipt: the positions that prove where a request's events are.
Settled or given up: a damaged record that an operator has counted as lost.
"""
