"""Rehearsal of a bootstrap on a running installation: whether a new indexer gets the same (I3, I5).

An indexer without claims rebuilds a partition in a fresh folder from object store and log, and its
content is compared with that of the indexers that hold the partition.
"""
