"""Workloads `queries`: the same questions asked of Bellwether and of engines beside it.

`python -m benchmarks queries --help`. Every engine reads the same rows, gets a question that was
not asked before, and its answer is compared before a time of it counts.
"""
