"""The write-ahead log of the whole system: its interface and two implementations.

Both pass one conformance suite (`tests/conformance/test_log.py`).
"""

from common.log.interface import Appended, Bounds, Log, LogIdentity

__all__ = ["Appended", "Bounds", "Log", "LogIdentity"]
