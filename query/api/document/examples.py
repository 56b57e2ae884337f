"""Bodies that one may copy, of the operations that people begin with. A test sends each through
the schema of its operation.
"""

from typing import Any, Final

_LAST_HOURS: Final = {"time_range": 7200}
_FAILED: Final = {"column": "error", "op": "=", "value": True}
_SLOW: Final = {"column": "duration_ms", "op": ">", "value": 500}
_QUESTION: Final = {
    "calculations": [{"op": "COUNT"}, {"op": "P99", "column": "duration_ms"}],
    "filters": [{"column": "service", "op": "=", "value": "web"}],
    "breakdowns": ["build"],
    **_LAST_HOURS,
}
_EVENT: Final = {"service": "web", "status": 200, "duration_ms": 12.5}

EXAMPLES: Final[dict[str, Any]] = {
    "sendEvent": _EVENT,
    "sendBatch": [{"time": "2026-01-31T14:03:07.25Z", "samplerate": 1, "data": _EVENT}],
    "createQuery": _QUESTION,
    "createQueryResult": {"query": _QUESTION, "wait_s": 10},
    "readText": {"text": "COUNT, P99(duration_ms) WHERE service = web GROUP BY build LAST 2h"},
    "writeText": {"query": _QUESTION},
    "rows": {"dataset": "checkout", "filters": [_FAILED], **_LAST_HOURS, "limit": 20},
    "fields": {"dataset": "checkout", "match": "http", **_LAST_HOURS},
    "tailSome": {"filters": [_FAILED], "fields": ["service", "message"]},
    "differences": {
        "dataset": "checkout",
        "query": _LAST_HOURS,
        "selection": {"filters": [_SLOW]},
    },
    "searchTraces": {"filters": [_FAILED], **_LAST_HOURS, "order": "slowest", "limit": 20},
    "compareTraces": {"trace": "65132700a2a2e4a35b2f1c6f2d1e4b9a", "against": "typical"},
    "createDataset": {"name": "checkout", "description": "What the shop's last page does"},
    "updateDataset": {"description": "What the shop's last page does"},
    "createColumn": {"key_name": "duration_ms", "type": "float"},
    "updateColumn": {"description": "From the request to the last byte of the answer"},
    "createKey": {"name": "web servers", "ingest": True},
}
