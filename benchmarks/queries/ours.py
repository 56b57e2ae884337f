"""Bellwether through HTTP: one `bellwether up` of a checkout over a data folder."""

import http.client
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.queries.engine import NoAnswer, Rows
from benchmarks.queries.questions import Asked
from benchmarks.two_builds import Installation

_TIMEOUT_S = 600.0


class Bellwether:
    """An installation that is running."""

    def __init__(self, name: str, installation: Installation, dataset: str) -> None:
        self.name = name
        self.installation = installation
        self._dataset = dataset
        host, port = installation.url.removeprefix("http://").split(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)

    def pids(self) -> Sequence[int]:
        """As `Engine.pids`."""
        assert self.installation.process is not None
        return [self.installation.process.pid]

    def ask(self, asked: Asked, sketch: bool) -> tuple[Rows, int]:
        """As `Engine.ask`; the clock stops when the reply is read, not when it is decoded."""
        body = {
            "query": asked.spec,
            "disable_series": not asked.series,
            "disable_total_by_aggregate": True,
            "disable_other_by_aggregate": True,
            "wait_s": _TIMEOUT_S,
            "coverage": "require",
        }
        if asked.limit:
            body["limit"] = asked.limit
        began = time.perf_counter_ns()
        status, reply = self.request("POST", f"/1/query_results/{self._dataset}", body)
        took_ns = time.perf_counter_ns() - began
        found: Any = orjson.loads(reply)
        if status >= 300 or not found.get("complete"):
            raise NoAnswer(f"{status} {reply[:400]!r}")
        return _rows(asked, found["data"]), took_ns

    def request(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        headers = {"X-Honeycomb-Team": self.installation.key, "Content-Type": "application/json"}
        data = None if body is None else orjson.dumps(body)
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def is_sealed(self) -> bool:
        """Whether its log is read to the end and everything of it is in published segments."""
        return all(
            one["replay"]["done"]  # type: ignore[index]  # JSON
            and one["lag_records"] == one["live_rows"] == one["sealing"] == 0
            and one["unpublished"]["cuts"] == 0  # type: ignore[index]  # JSON
            for one in self.installation.partitions()
        )

    def close(self) -> None:
        """As `Engine.close`."""
        self._connection.close()
        self.installation.stop()


def _rows(asked: Asked, data: dict[str, Any]) -> Rows:
    names = (*asked.keys, *asked.values)
    if not asked.series:
        return [tuple(one["data"].get(name) for name in names) for one in data["results"]]
    return [
        (
            int(datetime.fromisoformat(one["time"]).timestamp()),
            *(one["data"].get(name) for name in names),
        )
        for one in data["series"]
    ]


def segment_files(data: Path) -> list[Path]:
    """The sealed segments in the object store of a data folder."""
    return sorted((data / "objects").rglob("*.parquet"))
