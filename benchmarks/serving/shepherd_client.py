"""Requests beside the load, one at a time: questions, cuts, and how soon an event is visible."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import orjson

from benchmarks.serving.client import Address

_TIMEOUT_S = 180.0
_POLL_S = 0.005  # between two polls for an event
_VISIBLE_TIMEOUT_S = 30.0
_PROBES = "visible"  # the dataset of probes
_EVER = {"start_time": 1, "end_time": 4_000_000_000}


@dataclass(frozen=True, slots=True)
class ShepherdClient:
    """A shepherd's public address, and a key that may do everything."""

    address: Address
    key: str = field(repr=False)

    def request(self, method: str, path: str, body: object = None) -> Any:
        """The answer's document; None if it has none. Raises RuntimeError."""
        data = None if body is None else orjson.dumps(body)
        headers = {"X-Honeycomb-Team": self.key, "Content-Type": "application/json"}
        url = f"http://{self.address[0]}:{self.address[1]}{path}"
        try:
            with urlopen(Request(url, data, headers, method=method), timeout=_TIMEOUT_S) as answer:
                found = answer.read()
                return orjson.loads(found) if found else None
        except HTTPError as error:
            with error:
                raise RuntimeError(f"{path}: {error.code} {error.read()[:300]!r}") from error

    def cut(self) -> None:
        """Cut every partition; returns when the segments are published."""
        self.request("POST", "/bw/1/cut", {})

    def visible_waits_s(self, probes: int) -> list[float]:
        """Seconds from each acknowledgement until a query that waits for nothing shows the event.

        Raises RuntimeError if one does not become visible.
        """
        waits_s = []
        for number in range(probes):
            self.request("POST", f"/1/events/{_PROBES}", {"probe": number})
            acknowledged_s = time.perf_counter()
            while not self._shows(number):
                if time.perf_counter() - acknowledged_s > _VISIBLE_TIMEOUT_S:
                    raise RuntimeError(f"not visible after {_VISIBLE_TIMEOUT_S} s")
                time.sleep(_POLL_S)
            waits_s.append(time.perf_counter() - acknowledged_s)
        return waits_s

    def _shows(self, number: int) -> bool:
        query = {
            "calculations": [{"op": "COUNT"}],
            "filters": [{"column": "probe", "op": "=", "value": number}],
            **_EVER,
        }
        body = {"query": query, "disable_series": True, "wait_s": 10, "coverage": "accept"}
        rows = self.request("POST", f"/1/query_results/{_PROBES}", body)["data"]["results"]
        return bool(rows) and rows[0]["data"]["COUNT"] > 0
