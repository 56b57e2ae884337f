"""Shredding: from blocks of records to columns, by the reference or by a compiled kernel."""

from indexer.shred.interface import Accepted, Quarantined, Shredded, Shredder, ShredInput

__all__ = ["Accepted", "Quarantined", "ShredInput", "Shredded", "Shredder"]
