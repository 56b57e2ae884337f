"""Locks: named claims of processes. Two implementations, one conformance suite."""

from common.locks.interface import Claim, Locks

__all__ = ["Claim", "Locks"]
