"""A cache of names and values that the server knows, for completion.

Errors are not shown while a user presses Tab: what cannot be fetched is not offered.
"""

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from bellwether.client import ClientError, Target
from bellwether.client.caller import Caller
from common.clock import Clock

KEPT_NS = 60 * 10**9
_KEPT_MAX = 64  # lists; each is of one dataset or one field
_ANSWER_S = 5.0
_VALUES_MAX = 50
_FIELDS_MAX = 10_000  # the server's most without details
_VALUE_CHARS_MAX = 120
_MORE = object()


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

    def values(self, dataset: str, field: str, prefix: str) -> list[object]:
        """Frequent values of a field that begin so, in any case."""
        if not dataset:
            return []
        for end in range(len(prefix)):
            with self._lock:
                _, known = self._kept.get(("values", dataset, field, prefix[:end]), (0, []))
            if known and known[-1] is not _MORE:
                return known  # all that begin with less are known
        name = "values", dataset, field, prefix
        found = self._find(name, lambda: self._request_values(dataset, field, prefix))
        return [one for one in found if one is not _MORE]

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

    def _request_values(self, dataset: str, field: str, prefix: str) -> list[object]:
        """The values; at the end `_MORE` if there are others."""
        path = f"/bw/1/fields/{quote(dataset, safe='')}/values/{quote(field, safe='')}"
        asked = urlencode({"prefix": prefix, "limit": _VALUES_MAX})
        answer = self._caller.json("GET", f"{path}?{asked}")
        found = [one["value"] for one in answer["values"]]
        found = [v for v in found if v is not None and len(str(v)) <= _VALUE_CHARS_MAX]
        return [*found, _MORE] if answer["more"] else found
