"""CPU per event of two builds, in one run: `python -m benchmarks.two_builds OTHER_CHECKOUT`.

Three installations run side by side: this build twice and the other once. Each round sends the same
events to each of them in a random order and waits until they are indexed; CPU is that of
shepherd and indexer, in nanoseconds from the scheduler; "foreground" is both without the indexer's
threads that put segments together and make summaries. What counts is the median of the rounds'
ratios; the same build against itself says how far such a ratio can be trusted here. With
`--visible` each round also asks how soon single events are in answers after their acknowledgement.
"""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.serving.client import percentiles_ms, request, send_all
from benchmarks.serving.events import is_accepted
from benchmarks.serving.shepherd_client import ShepherdClient

ROOT = Path(__file__).resolve().parent.parent
ROLES = ("shepherd", "indexer")
CONNECTIONS = 4
WARM_UP_ROUNDS = 3  # compiled code, caches, the first segments
_READY_S = 600.0  # a machine that is busy with other things compiles for minutes
_STEP_S = 0.05
_QUIET_S = 0.3  # after everything is indexed: what still runs belongs to the round


@dataclass
class Installation:
    """One `bellwether up` of a checkout, with data of its own."""

    name: str
    checkout: Path
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    more: list[subprocess.Popen[bytes]] = field(default_factory=list)  # indexers beside `up`'s
    url: str = ""
    key: str = field(default="", repr=False)
    sent: int = 0
    visible_s: list[float] = field(default_factory=list)

    def start(
        self, kernels: Path, *, compiled: bool = True, settings: Mapping[str, str] | None = None
    ) -> None:
        """Start and wait until it is ready and its compiled code serves, if it is to.

        settings: environment variables of its own.
        """
        environ = self._environ(kernels, settings or {})
        data = self.folder / "data"
        command = [sys.executable, "-m", "bellwether", "up", "--data", str(data), "--port", "0"]
        output = self.folder / "up.out"
        with output.open("wb") as output_file:
            self.process = subprocess.Popen(
                [*command, "--no-telemetry"], cwd=self.folder, env=environ,
                stdin=subprocess.DEVNULL, stdout=output_file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._wait(lambda: "ready in" in output.read_text(), "be ready")
        words = output.read_text().split()
        self.url = words[words.index("address") + 1]
        self.key = (data / "secrets" / "key").read_text().strip()
        if compiled:
            self._wait(self._is_compiled, "compile")

    def start_indexer(self, slot: int, kernels: Path, settings: Mapping[str, str]) -> None:
        """Start one more indexer on the same data; partitions are shared among all."""
        environ = self._environ(kernels, settings) | {
            "BELLWETHER_NODE_DATA": str(self.folder / "data"),
            "BELLWETHER_NODE_SLOT": str(slot),
            "BELLWETHER_NODE_TELEMETRY": "false",
            "BELLWETHER_INDEXER_COPIES": "1",
        }
        with (self.folder / f"indexer-{slot}.out").open("wb") as output_file:
            self.more.append(
                subprocess.Popen(
                    [sys.executable, "-m", "bellwether", "indexer"],
                    cwd=self.folder, env=environ, stdin=subprocess.DEVNULL,
                    stdout=output_file, stderr=subprocess.STDOUT,
                )
            )  # fmt: skip

    def _environ(self, kernels: Path, settings: Mapping[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
        return kept | {
            "PYTHONPATH": str(self.checkout),
            "BELLWETHER_INDEXER_KERNEL_CACHE": str(kernels / self.checkout.name),
            "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(kernels / self.checkout.name),
            **settings,
        }

    def pids(self) -> list[int]:
        """Processes that were started here; others are their children."""
        return [one.pid for one in (self.process, *self.more) if one is not None]

    def stop(self) -> None:
        """End it."""
        for one in (*self.more, self.process):
            if one is not None:
                one.terminate()
                one.wait(60)
        self.process, self.more = None, []

    def round(self, bodies: list[bytes], events: int, *, sealed: bool = False) -> dict[str, int]:
        """Send, wait until all of it is indexed; CPU nanoseconds by role.

        sealed: the round ends when all of it is in published segments.
        """
        host, port = self.url.removeprefix("http://").split(":")
        head = {"X-Honeycomb-Team": self.key, "Content-Type": "application/json"}
        requests = [request("/1/batch/cost", head, body) for body in bodies]
        before = self.used()
        send_all([(host, int(port))], requests, CONNECTIONS, is_accepted)
        self.sent += events
        self.wait_until_indexed()
        if sealed:
            self.cut()
        after = self.used()
        return {role: after[role] - before[role] for role in after}

    def send_visible(self, probes: int) -> None:
        """Send single events, one after the other, and note how long each takes to be visible."""
        host, port = self.url.removeprefix("http://").split(":")
        client = ShepherdClient((host, int(port)), self.key)
        self.visible_s += client.visible_waits_s(probes)

    def wait_until_indexed(self) -> None:
        """Wait until all that was sent is indexed, and a little for what still runs then."""
        self._wait(lambda: self._ends() == 0, "index")
        time.sleep(_QUIET_S)

    def cut(self) -> None:
        """Cut every partition; returns when the segments are published."""
        headers = {"X-Honeycomb-Team": self.key, "Content-Type": "application/json"}
        with urlopen(Request(f"{self.url}/bw/1/cut", b"{}", headers), timeout=_READY_S) as answer:
            answer.read()

    def _status(self) -> dict[str, object]:
        request = Request(f"{self.url}/bw/1/status", headers={"X-Honeycomb-Team": self.key})
        with urlopen(request, timeout=30) as answer:
            found: dict[str, object] = json.load(answer)
        return found

    def partitions(self) -> dict[int, dict[str, Any]]:
        """What the indexers say of each partition."""
        indexers: object = self._status()["indexers"]
        assert isinstance(indexers, list)
        return {
            int(number): one
            for each in indexers
            for number, one in each["status"]["partitions"].items()
        }

    def formats(self) -> list[dict[str, int]]:
        """What the indexers say of versions of documents; empty of a build that says nothing."""
        indexers: object = self._status()["indexers"]
        assert isinstance(indexers, list)
        return [one["status"].get("formats", {}) for one in indexers]

    def summaries_waiting(self) -> int:
        """Segments whose summaries the indexers still load or make; 0 of a build without."""
        indexers: object = self._status()["indexers"]
        assert isinstance(indexers, list)
        return sum((one["status"].get("summaries") or {}).get("waiting", 0) for one in indexers)

    def holders(self) -> int:
        """Indexers that hold partitions."""
        indexers: object = self._status()["indexers"]
        assert isinstance(indexers, list)
        return sum(1 for one in indexers if one["status"]["partitions"])

    def _ends(self) -> int:
        """Records that are not indexed yet."""
        return sum(int(str(one["lag_records"])) for one in self.partitions().values())

    def _is_compiled(self) -> bool:
        shepherds = self._status()["shepherds"]
        assert isinstance(shepherds, list)
        splitters = {one["placement"]["splitter"] for one in shepherds if "placement" in one}
        names = ("shredder", "segment_writer")
        used = {str(one[name]) for one in self.partitions().values() for name in names}
        return splitters == {"kernel"} and used == {"kernel"}

    def used(self) -> dict[str, int]:
        """CPU nanoseconds of each role since its start; `background`: what of the indexer's was for
        putting segments together and for summaries, which have budgets of their own.
        """
        pids = self.role_pids()
        used = {role: cpu_ns(pids[role]) for role in ROLES}
        return used | {"background": self.background_ns()}

    def background_ns(self) -> int:
        """CPU of putting segments together and of making summaries; 0 of a build without."""
        indexers: object = self._status()["indexers"]
        assert isinstance(indexers, list)
        total_s = 0.0
        for one in indexers:
            parts = [each.get("compaction") for each in one["status"]["partitions"].values()]
            total_s += max((part["processor_s"] for part in parts if part), default=0.0)
            total_s += (one["status"].get("summaries") or {}).get("processor_s", 0.0)
        return int(total_s * 1e9)

    def role_pids(self) -> dict[str, int]:
        """The process of each role."""
        roles = self._status()["roles"]
        assert isinstance(roles, list)
        return {one["role"]: int(one["pid"]) for one in roles}

    def _wait(self, test: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _READY_S
        while not test():
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended: {(self.folder / 'up.out').read_text()}")
            if time.monotonic() > until:
                raise RuntimeError(f"{self.name} did not {what} within {_READY_S:.0f} s")
            time.sleep(_STEP_S)


def environment_of(settings: Mapping[str, str]) -> dict[str, str]:
    """Values by `section.name` as environment variables."""
    return {
        f"BELLWETHER_{name.upper().replace('.', '_')}": value for name, value in settings.items()
    }


def cpu_ns(pid: int) -> int:
    """Time on a CPU of all threads of a process that still run."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((thread / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def bodies_of_spans(requests: int, size: int, chance: random.Random) -> list[bytes]:
    """Batches of plain spans, each event different."""

    def event() -> dict[str, object]:
        return {
            "data": {
                "service": f"svc-{chance.randrange(24)}",
                "route": f"/v1/things/{chance.randrange(240)}",
                "status": chance.choice([200, 200, 200, 404, 500]),
                "duration_ms": round(chance.expovariate(0.05), 3),
                "user": f"user-{chance.randrange(50_000)}",
                "host": f"host-{chance.randrange(40)}",
                "trace.trace_id": f"{chance.getrandbits(128):032x}",
                "trace.span_id": f"{chance.getrandbits(64):016x}",
                "url": f"https://example.com/v1/things/{chance.getrandbits(40)}?page=2",
                "cached": chance.random() < 0.5,
            },
            "samplerate": 1,
        }

    return [json.dumps([event() for _ in range(size)]).encode() for _ in range(requests)]


@click.command()
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--pairs", default=30, show_default=True)
@click.option("--requests", default=150, show_default=True, help="In each round.")
@click.option("--size", default=100, show_default=True, help="Events of a body.")
@click.option("--sealed", is_flag=True, help="Each round ends with a cut: records to segments.")
@click.option("--visible", default=0, help="Single events in each round.  [default: none]")
@click.option(
    "--set", "sets", multiple=True, metavar="SECTION.NAME=VALUE", help="A setting of this checkout."
)
def main(
    other: Path,
    pairs: int,
    requests: int,
    size: int,
    sealed: bool,
    visible: int,
    sets: tuple[str, ...],
) -> None:
    """Compare this checkout with OTHER, the folder of another one."""
    settings = environment_of(dict(one.split("=", 1) for one in sets))
    chance = random.Random(1)
    print(one_line(describe_machine()))
    print(describe_versions(), flush=True)
    root = Path(tempfile.mkdtemp(prefix="two-builds-"))
    kernels = Path.home() / ".cache" / "bellwether" / "two-builds"
    builds = [("this", ROOT), ("this again", ROOT), ("other", other.resolve())]
    installed = []
    try:
        for number, (name, checkout) in enumerate(builds):
            folder = root / str(number)
            folder.mkdir()
            installed.append(Installation(name, checkout, folder))
            installed[-1].start(kernels, settings=settings if checkout == ROOT else None)
        rounds: list[dict[str, dict[str, int]]] = []
        for number in range(WARM_UP_ROUNDS + pairs):
            bodies = bodies_of_spans(requests, size, chance)
            order = chance.sample(installed, len(installed))
            used = {one.name: one.round(bodies, requests * size, sealed=sealed) for one in order}
            if number >= WARM_UP_ROUNDS:
                rounds.append(used)
                for one in order:
                    one.send_visible(visible)
        _show(rounds, requests * size, pairs)
        for one in installed if visible else ():
            told = percentiles_ms("ack to visible", one.visible_s)
            print(f"{one.name}: {', '.join(f'{what} {ms:.1f}' for what, ms in told.items())}")
    finally:
        for one in installed:
            one.stop()
        shutil.rmtree(root, ignore_errors=True)


def _show(rounds: list[dict[str, dict[str, int]]], events: int, pairs: int) -> None:
    print(f"{pairs} rounds of {events} events; us of CPU per event, medians")
    for role in ("shepherd", "indexer", "both", "foreground"):

        def of(used: dict[str, dict[str, int]], name: str, role: str = role) -> float:
            roles = (role,) if role in used[name] else ROLES
            total = sum(used[name][one] for one in roles)
            if role == "foreground":  # without putting segments together and summaries
                total -= used[name]["background"]
            return total / events / 1000

        medians = {name: statistics.median(of(u, name) for u in rounds) for name in rounds[0]}
        for above, below in (("this", "other"), ("this again", "this")):
            ratios = sorted(of(u, above) / of(u, below) for u in rounds)
            low, high = ratios[len(ratios) // 4], ratios[-len(ratios) // 4]
            print(
                f"{role:10} {above} {medians[above]:.3f} / {below} {medians[below]:.3f}: "
                f"{statistics.median(ratios):.3f} (half of them {low:.3f} to {high:.3f})"
            )


if __name__ == "__main__":
    main()
