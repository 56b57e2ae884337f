"""A cache of names and values that the server knows, for completion.

Errors are not shown while a user presses Tab: what cannot be fetched is not offered.
"""

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from bellwether.client import ClientError, Target
from bellwether.client.caller import Caller
from common.clock import Clock

KEPT_NS = 60 * 10**9
_KEPT_MAX = 64  # lists; each is of one dataset or one field
_ANSWER_S = 5.0
_VALUES_MAX = 50
_FIELDS_MAX = 10_000  # the server's most without details
_VALUE_CHARS_MAX = 120


class CompletionNames:
    """The names, by a connection of their own. Threads may share it."""

    def __init__(self, target: Target, clock: Clock) -> None:
        self._caller = Caller(target, _ANSWER_S)
        self._clock = clock
        self._kept: dict[tuple[str, ...], tuple[int, list[Any]]] = {}
        self._lock = threading.Lock()

    def datasets(self) -> list[str]:
        """Every dataset's slug."""
        return self._find(("datasets",), self._request_datasets)

    def fields(self, dataset: str) -> list[str]:
        """The names of a dataset's fields."""
        if not dataset:
            return []
        return self._find(("fields", dataset), lambda: self._request_fields(dataset))

    def values(self, dataset: str, field: str) -> list[object]:
        """Frequent values of a field, of the last day."""
        if not dataset:
            return []
        return self._find(("values", dataset, field), lambda: self._request_values(dataset, field))

    def forget(self) -> None:
        """Empty the cache: names on the server have changed."""
        with self._lock:
            self._kept.clear()

    def close(self) -> None:
        """Close the connection."""
        self._caller.close()

    def _find(self, name: tuple[str, ...], request: Callable[[], list[Any]]) -> list[Any]:
        with self._lock:
            now_ns = self._clock.now_ns()
            since_ns, found = self._kept.get(name, (now_ns - KEPT_NS, []))
            if now_ns - since_ns < KEPT_NS:
                return found
            try:
                found = request()
            except (ClientError, KeyError, TypeError, AttributeError):
                found = []  # not requested again at every key that is pressed
            self._kept.pop(name, None)
            self._kept[name] = (now_ns, found)
            while len(self._kept) > _KEPT_MAX:
                del self._kept[next(iter(self._kept))]
            return found

    def _request_datasets(self) -> list[str]:
        return sorted(str(one["slug"]) for one in self._caller.json("GET", "/1/datasets"))

    def _request_fields(self, dataset: str) -> list[str]:
        body = {"dataset": dataset, "details": False, "limit": _FIELDS_MAX}
        answer = self._caller.json("POST", "/bw/1/fields", body)
        return sorted(str(one["name"]) for one in answer["fields"])

    def _request_values(self, dataset: str, field: str) -> list[object]:
        spec = {"calculations": [{"op": "COUNT"}], "breakdowns": [field], "limit": _VALUES_MAX,
                "time_range": 86_400}  # fmt: skip
        body = {"query": spec, "disable_series": True, "wait_s": _ANSWER_S}
        answer = self._caller.json("POST", f"/1/query_results/{quote(dataset, safe='')}", body)
        found = [row["data"].get(field) for row in answer["data"]["results"]]
        return [v for v in found if v is not None and len(str(v)) <= _VALUE_CHARS_MAX]
