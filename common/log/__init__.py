"""The log: the write-ahead log of the whole system. Two implementations, one conformance suite."""

from common.log.interface import Appended, Bounds, Log, LogIdentity

__all__ = ["Appended", "Bounds", "Log", "LogIdentity"]
