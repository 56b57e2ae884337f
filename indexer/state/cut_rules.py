"""The rules for where a partition is cut, besides at markers, the control records that cut (I3).

A cut ends a run of rows that become segments. The rules are part of the log's format: both indexers
of a partition (twins) must agree on them.
"""

from dataclasses import dataclass

from common import limits


@dataclass(frozen=True, slots=True)
class CutRules:
    """Sizes at which a cut ends. Production uses the defaults; tests pass smaller ones.

    rows_max: number of rows.
    bytes_max: bytes of the records' events, decoded.
    control_records_max: number of records without rows.
    """

    rows_max: int = limits.CUT_ROWS_MAX_V1
    bytes_max: int = limits.CUT_BYTES_MAX_V1
    control_records_max: int = limits.CUT_CONTROL_RECORDS_MAX_V1


CUT_RULES = CutRules()
