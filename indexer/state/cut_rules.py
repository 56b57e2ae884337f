"""When a cut of a partition ends, besides at markers (I3).

The rules are part of the log's format: twins must agree on them.
"""

from dataclasses import dataclass

from common import limits


@dataclass(frozen=True, slots=True)
class CutRules:
    """After how much a cut ends. Production uses the defaults; tests pass smaller ones.

    rows_max: rows.
    bytes_max: bytes of the records' events, decoded.
    control_records_max: records without rows.
    """

    rows_max: int = limits.CUT_ROWS_MAX_V1
    bytes_max: int = limits.CUT_BYTES_MAX_V1
    control_records_max: int = limits.CUT_CONTROL_RECORDS_MAX_V1


CUT_RULES = CutRules()
