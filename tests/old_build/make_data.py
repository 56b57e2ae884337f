"""Makes a small data folder with an earlier build of the program, and records what it answers.

    python tests/old_build/make_data.py BUILD [FOLDER]

BUILD: a checkout of the commit in `COMMIT`. Its own modules are imported, so this runs without the
rest of this repository. Written into FOLDER (default: beside this file):

- `data.tar.xz`: log, object store, metadata and secrets, as the build left them when it stopped;
- `contents.txt`: SHA-256, size and path of each file in it;
- `recorded.json.xz`: questions, the answers of the build over HTTP, and for each the request and
  the response of one share between its query role and its indexer.

Each run has other ids and times, so the files change together.
"""

import asyncio
import base64
import hashlib
import importlib
import json
import lzma
import random
import sqlite3
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

COMMIT = "ffdab6c"
KEY = "a-key-of-no-other-installation"
PARTITIONS = 2
CHECKPOINT_CUTS = 66  # every 64th manifest has a checkpoint
KEPT = ("log", "objects", "metadata.db", "secrets")
ENVIRON = {
    "BELLWETHER_LOG_PARTITIONS": str(PARTITIONS),
    "BELLWETHER_UP_KEY": KEY,
    "BELLWETHER_NODE_TELEMETRY": "false",
    "BELLWETHER_INDEXER_HOUSEKEEPING_S": "1",
}
SPEC_KINDS: list[dict[str, Any]] = [
    {"calculations": [{"op": "COUNT"}]},
    {"calculations": [{"op": "COUNT"}], "breakdowns": ["kind"]},
    {
        "calculations": [
            {"op": op, "column": "int"} for op in ("SUM", "AVG", "MIN", "MAX", "COUNT_DISTINCT")
        ]
    },
    {"calculations": [{"op": op, "column": "float"} for op in ("SUM", "P50", "P99", "MAX")]},
    {"calculations": [{"op": "COUNT"}], "breakdowns": ["mixed"]},
    {
        "calculations": [{"op": "COUNT"}, {"op": "SUM", "column": "rare_7"}],
        "filters": [{"column": "rare_7", "op": "exists"}],
    },
    {
        "calculations": [{"op": "COUNT"}],
        "breakdowns": ["Größe"],
        "filters": [{"column": "text", "op": "contains", "value": "wörld"}],
    },
    {"calculations": [{"op": "COUNT"}], "breakdowns": ["list"]},
]
SPEC_WEB: list[dict[str, Any]] = [
    {"calculations": [{"op": "COUNT"}], "breakdowns": ["service"]},
    {
        "calculations": [{"op": "P99", "column": "ms"}],
        "breakdowns": ["service", "route"],
        "orders": [{"op": "P99", "column": "ms", "order": "descending"}],
        "limit": 10,
    },
    {
        "calculations": [{"op": "COUNT"}, {"op": "MAX", "column": "ms"}],
        "filters": [{"column": "trace.trace_id", "op": "=", "value": "trace-17"}],
    },
    {"calculations": [{"op": "COUNT_DISTINCT", "column": "user"}]},
    {
        "calculations": [{"op": "COUNT"}, {"op": "AVG", "column": "ms"}],
        "breakdowns": ["host"],
        "filters": [{"column": "status", "op": ">=", "value": 500}],
    },
    {
        "calculations": [{"op": "COUNT"}],
        "breakdowns": ["user"],
        "havings": [{"calculate_op": "COUNT", "op": ">", "value": 3}],
        "orders": [{"op": "COUNT", "order": "descending"}, {"column": "user"}],
        "limit": 20,
    },
]


def events_of_kinds(now_s: int) -> list[dict[str, Any]]:
    """Every type of column, some fields of several types, rare columns, names that are escaped."""
    rng = random.Random(1)
    events = []
    for n in range(600):
        data: dict[str, Any] = {
            "kind": ("a", "b", "c")[n % 3],
            "int": rng.choice([0, -1, 2**62, n, -(2**40)]) if n % 7 else None,
            "float": rng.choice([0.1, -2.5, 1e300, 1e-9, n / 3]),
            "bool": n % 2 == 0,
            "mixed": (n % 4, f"text {n % 3}", n % 5 / 2, n % 2 == 0)[n % 4],
            "text": f"hello wörld {n % 50}" if n % 2 else "x" * (n % 300),
            "Größe": ("klein", "groß")[n % 2],
            "list": [n % 2, {"deep": n % 3}],
            "object": {"inner": {"value": n % 11}},
            f"rare_{n % 400}": n,
        }
        time_s = now_s - 3_600 + n if n % 100 else now_s - 400 * 86_400
        events.append({"data": data, "time": time_s, "samplerate": 1 + n % 4})
    return events


def events_of_web(now_s: int) -> list[dict[str, Any]]:
    """Requests of a few services."""
    rng = random.Random(2)
    return [
        {
            "data": {
                "service": f"service-{rng.randrange(5)}",
                "route": f"/route/{rng.randrange(8)}",
                "host": f"host-{rng.randrange(12)}",
                "status": rng.choice([200, 200, 200, 404, 500, 503]),
                "ms": round(rng.expovariate(0.02), 3),
                "user": f"user-{rng.randrange(300)}",
                "trace.trace_id": f"trace-{n // 6}",
            },
            "time": now_s - 1_800 + n,
            "samplerate": rng.choice([1, 1, 10]),
        }
        for n in range(1_200)
    ]


def module(name: str) -> Any:
    """A module of the build."""
    return importlib.import_module(name)


class Maker:
    """Fills one data folder with the build."""

    def __init__(self, folder: Path) -> None:
        self.now_s = int(time.time())
        self.folder = folder
        self.recorded: list[dict[str, Any]] = []

    def system(self, **more: str) -> Any:
        """An `up` of the build on the folder."""
        harness = module("tests.system.harness")
        return harness.System(self.folder, (), {**ENVIRON, **more})

    def run(self) -> None:
        """The two times that the build runs."""
        system = self.system()
        system.start()
        self.fill(system)
        system.stop()
        asyncio.run(self.append_conditional(b"w", 1, held_by_other=True))
        asyncio.run(self.append_conditional(b"l", 4, held_by_other=False))
        system = self.system()
        system.start()
        self.wait_until(system, lambda: self.count(system, "late") == 6)
        for _ in range(2):
            cut(system)
        system.send("web", events_of_web(self.now_s)[:50])  # in the log only
        self.wait_until(system, lambda: self.count(system, "web", rates=False) == 1_250)
        for dataset, specs in (("kinds", SPEC_KINDS), ("web", SPEC_WEB)):
            for spec in specs:
                self.record(system, dataset, spec)
        for dataset in ("late", "tiny"):
            self.record(system, dataset, {"calculations": [{"op": "COUNT"}]})
        system.stop()
        asyncio.run(self.append_conditional(b"u", 3, held_by_other=True))

    def fill(self, system: Any) -> None:
        """Datasets, a deletion, and so many cuts that a checkpoint is written."""
        kinds, web = events_of_kinds(self.now_s), events_of_web(self.now_s)
        system.send("gone", [{"data": {"n": n}} for n in range(10)])
        for at in range(0, 600, 150):
            system.send("kinds", kinds[at : at + 150])
        cut(system)
        if system.http("DELETE", "/1/datasets/gone").status not in (200, 202, 204):
            raise SystemExit("the dataset cannot be deleted")
        given_up = self.folder / "data" / "objects" / "retention"
        self.wait_until(system, lambda: any(given_up.glob("*/*.json")))
        for at in range(0, 1_200, 100):
            system.send("web", web[at : at + 100])
            cut(system)
        system.send("late", [{"data": {"n": 0}}])
        system.send("tiny", [{"data": {"n": 0}}])
        for n in range(CHECKPOINT_CUTS):
            asyncio.run(self.append([(0, self.events("tiny", n.to_bytes(16), 1))]))
            cut(system)

    async def append_conditional(self, name: bytes, rows: int, *, held_by_other: bool) -> None:
        """A batch that was rerouted from partition 1 to 0: in both of them, or only there."""
        batch = name * 16
        first = [(1, self.events("late", batch, rows))] if held_by_other else []
        again = self.events("late", batch, rows, via="reroute:1", unless=(1,))
        await self.append([*first, (0, again)])

    async def append(self, records: list[tuple[int, Any]]) -> None:
        """Append records to partitions."""
        clock = module("common.clock").SystemClock()
        folder = self.folder / "data" / "log"
        log = module("common.log.embedded").EmbeddedLog(folder, PARTITIONS, clock)
        await log.open()
        for partition, record in records:
            await log.append(partition, record)
        await log.close()

    def events(
        self,
        dataset: str,
        batch: bytes,
        rows: int,
        via: str = "random",
        unless: tuple[int, ...] = (),
    ) -> Any:
        """A record of so many events."""
        record = module("common.record")
        line = record.encode_event_line(self.now_s * 10**9, 1, b'{"n":1}')
        more = {"batch": batch, "depth": 0, "via": via, "unless": unless}
        return record.events_record(**self.owner(dataset), **more, lines=[line] * rows)

    def owner(self, dataset: str) -> dict[str, str]:
        """Team, environment and dataset, as records name them."""
        with sqlite3.connect(self.folder / "data" / "metadata.db") as db:
            row = db.execute(
                "SELECT team_id, env_id, datasets.id FROM datasets "
                "JOIN environments ON environments.id = env_id WHERE datasets.slug = ?",
                (dataset,),
            ).fetchone()
        return dict(zip(("team", "env", "dataset"), row, strict=True))

    def record(self, system: Any, dataset: str, spec: dict[str, Any]) -> None:
        """Ask over HTTP, and ask the indexer for the share of the totals."""
        whole = {**spec, "start_time": self.now_s - 500 * 86_400, "end_time": self.now_s + 86_400}
        whole |= {"granularity": 50 * 86_400}
        answer = system.ask(dataset, whole)
        question = module("query.planner").ask(
            module("query.spec_read").read_spec(whole), self.owner(dataset)["dataset"], 0
        )
        plan = module("query.planner").totals_plan(question, at_least={}, wait_ms=0)
        share = module("query.plan").ShareRequest(plan, tuple(range(PARTITIONS)))
        request = module("msgspec").json.encode(share)
        self.recorded.append(
            {
                "dataset": dataset,
                "spec": whole,
                "data": answer["data"],
                "request": request.decode(),
                "share": base64.b64encode(self.share(system, request)).decode(),
            }
        )

    def share(self, system: Any, request: bytes) -> bytes:
        """The indexer's response to a request for a share."""
        token = module("bellwether.secrets").read_internal_token(self.folder / "data")
        header = module("common.web").INTERNAL_TOKEN_HEADER
        [indexer] = system.members("indexer")
        url = f"{indexer.url}/internal/share"
        with urllib.request.urlopen(
            urllib.request.Request(url, request, {header: token})
        ) as response:
            return bytes(response.read())

    def count(self, system: Any, dataset: str, *, rates: bool = True) -> int:
        """Number of events now (without rates: of rows)."""
        spec: dict[str, Any] = {
            "calculations": [{"op": "COUNT"}],
            "start_time": self.now_s - 86_400,
            "end_time": self.now_s + 86_400,
        }
        results = system.ask(dataset, spec)["data"]["results"]
        found = int(results[0]["data"]["COUNT"]) if results else 0
        return found if rates or dataset != "web" else self.rows_of_web(found)

    def rows_of_web(self, weighted: int) -> int:
        """1,250 once the last 50 events count too."""
        rates = [event["samplerate"] for event in events_of_web(self.now_s)]
        return 1_250 if weighted == sum(rates) + sum(rates[:50]) else 1_200

    def wait_until(self, system: Any, test: Any) -> None:
        """Wait for a condition."""
        system.wait_until(test, "the build to come to it", 60)


def cut(system: Any) -> None:
    """Cut, and wait until it is published."""
    answer = system.http("POST", "/bw/1/cut?wait=1")
    if answer.status != 200:
        raise SystemExit(f"no cut: {answer.body!r}")


def pack(data: Path, target: Path) -> None:
    """Write `data.tar.xz` and `contents.txt`."""
    files = sorted(path for name in KEPT for path in files_of(data / name))
    lines = []
    with tarfile.open(target / "data.tar.xz", "w:xz", preset=9) as tar:
        for path in files:
            name = str(path.relative_to(data))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{digest} {path.stat().st_size} {name}\n")
            info = tarfile.TarInfo(name)
            info.size = path.stat().st_size
            with path.open("rb") as file:
                tar.addfile(info, file)
    (target / "contents.txt").write_text("".join(lines))


def files_of(path: Path) -> list[Path]:
    """The file, or every file below the folder."""
    if path.is_file():
        return [path]
    return [one for one in path.rglob("*") if one.is_file()]


def main() -> None:
    """See the module's text."""
    build = Path(sys.argv[1]).resolve()
    target = Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent).resolve()
    sys.path[0] = str(build)
    with tempfile.TemporaryDirectory(prefix="old-build-") as name:
        maker = Maker(Path(name))
        maker.run()
        pack(Path(name) / "data", target)
        text = json.dumps(maker.recorded, ensure_ascii=False, indent=1).encode()
        (target / "recorded.json.xz").write_bytes(lzma.compress(text, preset=9))


if __name__ == "__main__":
    main()
