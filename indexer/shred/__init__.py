"""Shredding: blocks of records in, columns out. The oracle here; a compiled kernel beside it."""

from indexer.shred.interface import Accepted, SetAside, Shredded, Shredder, ShredInput

__all__ = ["Accepted", "SetAside", "ShredInput", "Shredded", "Shredder"]
