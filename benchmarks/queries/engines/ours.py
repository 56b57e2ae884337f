"""Bellwether through HTTP: one `bellwether up` of a checkout over a data folder."""

import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks.queries.asking.asked import Asked, Form, bin_number
from benchmarks.queries.engines.interface import NoAnswer, Rows
from benchmarks.two_builds import Installation

_TIMEOUT_S = 600.0


class Compaction(NamedTuple):
    """on: whether the build compacts. due: outputs that are to be made. outputs: made since the
    start. cpu_s: processor time of it, of an indexer. waits_for: why nothing is made now.
    """

    on: bool
    due: int
    outputs: int
    cpu_s: float
    waits_for: str


class Bellwether:
    """An installation that is running."""

    def __init__(self, name: str, installation: Installation, dataset: str) -> None:
        self.name = name
        self.installation = installation
        self._dataset = dataset
        self._connections = threading.local()

    def pids(self) -> Sequence[int]:
        """As `Engine.pids`."""
        return self.installation.pids()

    def files(self) -> Sequence[Path]:
        """As `Engine.files`."""
        data = self.installation.folder / "data"
        return [path for path in data.rglob("*") if path.is_file()]

    def ask(self, asked: Asked, sketch: bool) -> tuple[Rows, int]:
        """As `Engine.ask`; the clock stops when the reply is read, not when it is decoded."""
        path, body = self.question(asked)
        began = time.perf_counter_ns()
        status, reply = self.request("POST", path, body)
        took_ns = time.perf_counter_ns() - began
        found: Any = orjson.loads(reply)
        if status >= 300 or not found.get("complete", found.get("coverage")):
            raise NoAnswer(f"{status} {reply[:400]!r}")
        return _rows(asked, found), took_ns

    def ask_at_once(self, some: Sequence[Asked], askers: int, sketch: bool) -> list[int]:
        """As `Engine.ask_at_once`: every asker has a connection."""
        with ThreadPoolExecutor(askers) as threads:
            return list(threads.map(lambda one: self.ask(one, sketch)[1], some))

    def request(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Status and body of an answer."""
        headers = {"X-Honeycomb-Team": self.installation.key, "Content-Type": "application/json"}
        data = None if body is None else orjson.dumps(body)
        connection = self._connection()
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
        except http.client.RemoteDisconnected:  # it was idle for long
            connection.close()
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
        return answer.status, answer.read()

    def is_sealed(self, live_rows: int = 0, ends: Mapping[int, int] | None = None) -> bool:
        """Whether its log is read to the end and all but the live rows are published.

        ends: by partition the offset of a marker before which everything must be published, too; a
            cut that its size ended just before the marker leaves none for the marker.
        """
        parts = self._partitions()
        cuts = {number: one["last_cut"] for number, one in parts.items()}
        return (
            sum(one["live_rows"] for one in parts.values()) == live_rows
            and all(
                one["replay"]["done"]
                and one["lag_records"] == one["sealing"] == one["unpublished"]["cuts"] == 0
                for one in parts.values()
            )
            and all(
                (cuts.get(number) or {}).get("end_offset", 0) >= end
                for number, end in (ends or {}).items()
            )
        )

    def compaction(self) -> Compaction:
        """What its indexers say of putting segments together."""
        parts = [one.get("compaction") or {} for one in self._partitions().values()]
        return Compaction(
            any(one.get("on") for one in parts),
            sum(one.get("due", 0) for one in parts),
            sum(one.get("outputs_made", 0) for one in parts),
            max((one.get("processor_s", 0.0) for one in parts), default=0.0),
            next((one["waits_for"] for one in parts if one.get("waits_for")), ""),
        )

    def is_idle(self) -> bool:
        """Whether no segments are to be put together and no summaries to be made now."""
        return not (self.compaction().due or self.installation.summaries_waiting())

    def formats(self) -> list[dict[str, int]]:
        """Of each indexer, which versions of documents it may write and which all members know."""
        return self.installation.formats()

    def holders(self) -> int:
        """Indexers that hold partitions."""
        return self.installation.holders()

    def close(self) -> None:
        """As `Engine.close`."""
        self.installation.stop()

    def _partitions(self) -> dict[int, dict[str, Any]]:
        """What its indexers say of each partition."""
        return self.installation.partitions()

    def _connection(self) -> http.client.HTTPConnection:
        """That of this thread."""
        try:
            found: http.client.HTTPConnection = self._connections.own
        except AttributeError:
            host, port = self.installation.url.removeprefix("http://").split(":")
            found = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)
            self._connections.own = found
        return found

    def question(self, asked: Asked) -> tuple[str, dict[str, Any]]:
        """Path and body of the request that asks it."""
        if asked.form in (Form.ROWS, Form.FIELDS):
            route = "/bw/1/rows" if asked.form is Form.ROWS else "/bw/1/fields"
            return route, {**asked.body, "dataset": self._dataset, "coverage": "require"}
        body: dict[str, Any] = {
            "query": asked.body,
            "disable_series": asked.form is Form.TOTALS,
            "wait_s": _TIMEOUT_S,
            "coverage": "require",
        }
        if asked.limit:
            body["limit"] = asked.limit
        return f"/1/query_results/{self._dataset}", body


def _rows(asked: Asked, found: Any) -> Rows:
    names = (*asked.keys, *asked.values)
    if asked.form is Form.ROWS:
        return [tuple({**one["data"], **one}.get(name) for name in names) for one in found["rows"]]
    if asked.form is Form.FIELDS:
        return [(one["name"], one["events"], str(one["samples"][0])) for one in found["fields"]]
    data = found["data"]
    if asked.form is Form.TOTALS:
        return [tuple(one["data"].get(name) for name in names) for one in data["results"]]
    if asked.form is Form.BINS:
        return [
            (_second(one["time"]), bin_number(each["low"]), each["count"])
            for one in data["series"]
            for each in one["data"][asked.values[0]]
        ]
    return [
        (_second(one["time"]), *(one["data"].get(name) for name in names)) for one in data["series"]
    ]


def _second(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
