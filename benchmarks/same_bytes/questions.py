"""Events, and queries about them that have fixed answers, also by commands of the client."""

import json
import random
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

from benchmarks.same_bytes.build import Build
from benchmarks.same_bytes.masks import mask
from benchmarks.two_builds import Installation

DATASET = "shop"
_EVENTS = 600
_BATCH = 50
_WAIT_S = 20
_COVERED_S = 120.0


def send(running: Installation, moment_s: int) -> str:
    """Send the events, the same ones for the same moment; the receipt of all of them."""
    receipts = []
    events = list(_events(moment_s))
    for at in range(0, len(events), _BATCH):
        body = json.dumps(events[at : at + _BATCH])
        status, head, text = call(running, "POST", f"/1/batch/{DATASET}", body)
        if status != 200 or text.count("202") < _BATCH:
            raise RuntimeError(f"not all events were taken: {status} {text[:500]}")
        receipts.append(head["x-bellwether-receipt"])
    return ",".join(receipts)


def _events(moment_s: int) -> Iterator[dict[str, object]]:
    """Events of two hours from the moment on, with values of every type."""
    chance = random.Random(moment_s)
    for number in range(_EVENTS):
        data: dict[str, object] = {
            "service": chance.choice(["front", "cart", "pay", "st\u00f6ck"]),
            "status": chance.choice([200, 200, 404, 500, "200", 200.0, True]),
            "duration_ms": round(chance.expovariate(0.01) * 8) / 8,  # sums are exact in any order
            "n": number,
            "large": 2**53 + number,
            "user": f"user-{chance.randrange(40)}",
            "cached": chance.random() < 0.5,
            "tags": [number % 3, {"a": None}],
            "at": {"zone": chance.choice("abc"), "host": {"id": chance.randrange(9)}},
        }
        if number % 7 == 0:
            data["error"] = chance.choice(["timeout", "reset by peer", "", "42"])
        if number % 11 == 0:
            data["duration_ms"] = str(data["duration_ms"])
        time_s = moment_s + number * 12 + chance.randrange(10**6) / 10**6
        yield {"time": round(time_s, 6), "samplerate": chance.choice([1, 1, 5]), "data": data}


def call(
    running: Installation, method: str, path: str, body: str | None = None, **head: str
) -> tuple[int, dict[str, str], str]:
    """A request with the key; status, headers by lower-case name, body."""
    host, port = running.url.removeprefix("http://").split(":")
    sent = {"X-Honeycomb-Team": running.key, "Content-Type": "application/json", **head}
    connection = HTTPConnection(host, int(port), timeout=60)
    try:
        connection.request(method, path, None if body is None else body.encode(), sent)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "backslashreplace")
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, text
    finally:
        connection.close()


def status(running: Installation) -> Any:
    """The document of `/bw/1/status`."""
    return json.loads(call(running, "GET", "/bw/1/status")[2])


def _specs() -> Iterator[dict[str, Any]]:
    """Parts of query specifications, good and bad."""
    numbers = ("SUM", "AVG", "MIN", "MAX", "COUNT_DISTINCT", "P001", "P05", "P50", "P99", "P999")
    yield {
        "calculations": [{"op": "COUNT"}, *({"op": o, "column": "duration_ms"} for o in numbers)]
    }
    for column in ("service", "status", "cached", "tags", "at", "error", "nothing", "large"):
        yield {"breakdowns": [column]}
        yield {
            "calculations": [
                {"op": "COUNT", "column": column},
                {"op": "COUNT_DISTINCT", "column": column},
            ]
        }
        yield {"calculations": [{"op": o, "column": column} for o in ("SUM", "MIN", "MAX", "P50")]}
    for op, value in (
        ("=", 200), ("=", "200"), ("!=", 200), (">", 300), ("<=", "b"), ("contains", "0"),
        ("starts-with", "4"), ("exists", None), ("does-not-exist", None), ("in", [200, "404"]),
        ("not-in", [True]), ("matches", "^[24]0"), ("does-not-match", "(?i)T"), ("ends-with", "0"),
        ("does-not-contain", "0"), ("=", True), ("like", "x"), ("matches", "("), ("in", 7),
    ):  # fmt: skip
        item = {"column": "status", "op": op} | ({} if value is None else {"value": value})
        yield {"filters": [item], "breakdowns": ["service"]}
    yield {
        "breakdowns": ["service", "status"],
        "calculations": [{"op": "COUNT"}, {"op": "AVG", "column": "duration_ms", "name": "mean"}],
        "orders": [{"op": "COUNT", "order": "descending"}, {"column": "service"}],
        "havings": [{"calculate_op": "COUNT", "op": ">", "value": 20}], "limit": 5,
    }  # fmt: skip
    group = {"filter_combination": "NONE", "filters": [{"column": "n", "op": ">", "value": 100}]}
    yield {"filters": [group, {"column": "service", "op": "=", "value": "cart"}]}
    yield {"filters": [group, group], "filter_combination": "OR"}
    for granularity in (60, 600, 7_200, 1):
        yield {"granularity": granularity, "calculations": [{"op": "SUM", "column": "n"}]}
    yield {"granularity": 1_800, "breakdowns": ["service"]}
    bad: tuple[dict[str, Any], ...] = (
        {"calculations": [{"op": "HEATMAP", "column": "n"}]}, {"calculations": [{"op": "SUM"}]},
        {"calculations": 7}, {"nothing": 1}, {"limit": 0}, {"limit": 10**6}, {"breakdowns": [1]},
        {"orders": [{"op": "MAX", "column": "n"}]}, {"formulas": [{}]}, {"time_range": 5},
        {"havings": [{"calculate_op": "COUNT", "op": "~", "value": 1}]}, {"filters": [{}]},
    )  # fmt: skip
    yield from bad


_MORE: tuple[dict[str, Any], ...] = (
    {}, {"disable_series": True},
    {"disable_total_by_aggregate": False, "disable_other_by_aggregate": False, "limit": 2},
)  # fmt: skip
_ROWS: tuple[dict[str, Any], ...] = (
    {}, {"order": "oldest", "limit": 3}, {"fields": ["n", "at", "nothing"], "limit": 5},
    {"filters": [{"column": "error", "op": "exists"}], "limit": 1_000}, {"limit": 0},
    {"order": "x"}, {"cursor": "x"}, {"dataset": "nothing"}, {"dataset": 7}, {"x": 1},
    {"filters": [{"column": "nr", "op": "=", "value": 1}]}, {"breakdowns": ["n"]},
)  # fmt: skip
_FIELDS: tuple[dict[str, Any], ...] = (
    {}, {"match": "*t*"}, {"name": "status", "samples": 20}, {"details": False}, {"limit": 2},
    {"name": "nothing"}, {"limit": 2, "cursor": "error"}, {"samples": 99}, {"dataset": "nothing"},
    {"match": 7}, {"x": 1}, {"filters": [{"column": "service", "op": "=", "value": "cart"}]},
)  # fmt: skip


def answers(
    running: Installation, moment_s: int, receipt: str, *, brief: bool = False
) -> dict[str, str]:
    """The masked answer to each question, whole. brief: each query is asked in one way only."""
    whole = {"start_time": moment_s, "end_time": moment_s + 7_200}
    found: dict[str, str] = {}
    _wait_until_covered(running, whole, receipt)

    def note(name: str, answer: tuple[int, Mapping[str, str], str]) -> None:
        status, head, text = answer
        kept = "".join(
            f"{n}: {head[n]}\n"
            for n in ("content-type", "cache-control", "link", "retry-after")
            if n in head
        )
        found[name] = mask(f"{status}\n{kept}{text}", {running.key: "<key>"})

    after = {"X-Bellwether-After": receipt}
    note(
        "bad receipt",
        call(running, "POST", "/bw/1/rows", json.dumps(whole | {"dataset": DATASET, "after": "x"})),
    )
    for part in _specs():
        spec = whole | part
        name = json.dumps(part)
        made = call(running, "POST", f"/1/queries/{DATASET}", json.dumps(spec))
        note(f"query {name}", made)
        for more in _MORE[:1] if brief or made[0] != 200 else _MORE:
            body = {"query": spec, "wait_s": _WAIT_S, "coverage": "require"} | more
            note(
                f"result {name} {more}",
                call(running, "POST", f"/1/query_results/{DATASET}", json.dumps(body), **after),
            )
    for part in _ROWS:
        body = {"dataset": DATASET, "coverage": "require", **whole} | part
        note(f"rows {part}", call(running, "POST", "/bw/1/rows", json.dumps(body), **after))
    for part in _FIELDS:
        body = {"dataset": DATASET, "coverage": "require", "samples": 0, **whole} | part
        note(f"fields {part}", call(running, "POST", "/bw/1/fields", json.dumps(body), **after))
    for path in (
        f"/1/columns/{DATASET}",
        f"/1/datasets/{DATASET}",
        f"/1/columns/{DATASET}?page[size]=3",
    ):
        note(f"GET {path}", call(running, "GET", path))
    return found


def _wait_until_covered(running: Installation, whole: dict[str, int], receipt: str) -> None:
    """Wait until the roles that have just started answer for every event."""
    body = json.dumps({"query": whole, "wait_s": _WAIT_S, "coverage": "require"})
    until_s = time.monotonic() + _COVERED_S
    while True:
        path, after = f"/1/query_results/{DATASET}", {"X-Bellwether-After": receipt}
        status, _, text = call(running, "POST", path, body, **after)
        if status != 503 or time.monotonic() > until_s:
            break
    if status != 201:
        raise RuntimeError(f"the events cannot be asked for: {status} {text[:500]}")


def commands(running: Installation, build: Build, moment_s: int) -> dict[str, str]:
    """What commands of the client print about the same events."""
    begin, end = (_at(moment_s + s) for s in (0, 7_200))
    texts = (
        "COUNT, P99(duration_ms), AVG(duration_ms) GROUP BY service ORDER BY COUNT DESC",
        "COUNT WHERE status >= 400 AND NOT (service = 'cart' OR error EXISTS) GROUP BY status",
        "SUM(n), MAX(large) HAVING COUNT > 3 GROUP BY at.zone LIMIT 2",
    )
    asked = [("query", DATASET, f"{text} SINCE {begin} UNTIL {end}") for text in texts]
    lines: list[tuple[str, ...]] = [
        (*asked[0], "--format", form)
        for form in ("json", "csv", "markdown", "jsonl", "tsv", "table")
    ]
    lines += [*asked, (*asked[0], "--series"), (*asked[1], "--explain")]
    lines += [
        ("query", DATASET, "COUNT WHERE"),
        ("query", "nothing", "COUNT"),
        ("query", DATASET, "COUNT, COUNT"),
    ]
    span = f"SINCE {begin} UNTIL {end}"
    for more in (
        (),
        ("--json",),
        ("--csv",),
        ("--tree",),
        ("--oldest", "-n", "2"),
        ("--fields", "n,service"),
    ):
        lines.append(("rows", DATASET, f"WHERE n < 40 {span}", *more))
    lines += [
        ("fields", DATASET, "--names"),
        ("fields", DATASET, "sta*", "--json", "--last", "48h"),
        ("fields", "nothing"),
    ]
    found = {}
    environ = {"BELLWETHER_URL": running.url, "BELLWETHER_KEY": running.key}
    for words in lines:
        found[" ".join(words).replace(begin, "BEGIN").replace(end, "END")] = build.bellwether(
            *words, environ=environ
        )
    shown = f"COUNT\n\\use shop\nCOUNT SINCE {begin} UNTIL {end}\n\\help\n\\nothing\n"
    found["shell"] = build.bellwether("shell", stdin=shown.encode(), environ=environ)
    for name, (text, arguments) in _files(moment_s).items():
        sent: tuple[str, ...] = ("send", f"sent-{name}", "-", *arguments)
        found[f"send {name}"] = build.bellwether(*sent, stdin=text.encode(), environ=environ)
        found[f"send {name}, dry"] = build.bellwether(
            *sent, "--dry-run", stdin=text.encode(), environ=environ
        )
    return {name: mask(text, {running.key: "<key>"}) for name, text in found.items()}


def _at(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _files(moment_s: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Small inputs of `send`, and its options."""
    at = datetime.fromtimestamp(moment_s, UTC)
    stamp = at.strftime("%d/%b/%Y:%H:%M:%S +0000")
    access = f'10.0.0.1 - bob [{stamp}] "GET /a?b=1 HTTP/1.1" 200 12 "-" "curl/8"\n' * 3
    return {
        "json": (json.dumps({"time": _at(moment_s), "a": 1, "b": {"c": [1]}}) + "\nnot json\n", ()),
        "csv": (f'time,a,b\n{_at(moment_s)},1,x\n{_at(moment_s)},,"y,z"\n', ()),
        "logfmt": (f'time={_at(moment_s)} level=info msg="a b" n=5\n', ()),
        "access": (access, ()),
        "text": (f"{_at(moment_s)} ERROR it failed\n  at line 3\nmore\n", ("--format", "text")),
        "pattern": ("a=1\nb\n", ("--pattern", r"(?P<name>\w)=(?P<n>\d)", "--arrival-time")),
    }
