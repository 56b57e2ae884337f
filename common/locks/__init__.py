"""Locks: who does what. Two implementations, one conformance suite."""

from common.locks.interface import Claim, Locks

__all__ = ["Claim", "Locks"]
