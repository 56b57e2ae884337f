"""Engines that are ready: builds that have indexed the rows, and peers over their segments."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.queries.asking.asked import TABLE
from benchmarks.queries.engines.interface import Engine, NoAnswer
from benchmarks.queries.engines.ours import Bellwether
from benchmarks.queries.engines.peer_process import PeerProcess
from benchmarks.queries.engines.peers import Start
from benchmarks.queries.engines.victorialogs import VICTORIALOGS, VictoriaLogs
from benchmarks.queries.rows.log import Target, write_log
from benchmarks.queries.rows.shape import Shape
from benchmarks.two_builds import ROOT, Installation
from common.model.names import dataset_id, environment_id, team_id
from indexer.config import IndexerConfig

THIS, OTHER = "bellwether", "bellwether (other)"
KERNELS = Path.home() / ".cache" / "bellwether" / "two-builds"
_SLUG = "default"  # of the team and the environment that a first start makes
_INDEXED_S = 7_200.0
_STEP_S = 0.2
_FORMATS_S = 120.0
_QUIET_S = 20.0  # some rounds of compaction
_IDLE_S = 12.0  # two rounds of compaction and of summaries, which look each 5 s
_IDLE_WAIT_S = 1_800.0
PERCENT = "compaction_percent"  # a setting of the indexer, not of every build


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows are stored and by whom they are served.

    pieces: cuts by marker, 0: at the format's limits alone. live: rows that are not cut.
    partitions: of the log. indexers: processes that share them. threads: of every engine, for one
    question. compiled: whether indexing uses compiled code, which may first have to be compiled.
    compacted: whether small segments are put together first; else nothing is put together.
    settings: more environment variables of this build's processes.
    """

    pieces: int = 0
    partitions: int = 1
    live: int = 0
    indexers: int = 1
    threads: int = 2
    compiled: bool = True
    compacted: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ready:
    """builds: of Bellwether, this one first. files: the sealed segments that the peers read."""

    builds: Sequence[Bellwether]
    peers: Sequence[Engine]
    files: Sequence[Path]

    @property
    def engines(self) -> list[Engine]:
        """All of them."""
        return [*self.builds, *self.peers]


@contextmanager
def engines(
    folder: Path, shape: Shape, layout: Layout, other: Path | None, peers: Sequence[str]
) -> Iterator[Ready]:
    """This build, the other one if it is given, and these peers over the files of this build."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files = folder / "files"
        log = folder / "log"
        if layout.live:  # the peers have no live rows: another indexing seals them all
            sealed = replace(layout, live=0)
            write_rows(log, shape, sealed)
            one = start_build(THIS, ROOT, folder / "sealed", log, sealed)
            export(one, files)
            one.close()
            shutil.rmtree(log)
        write_rows(log, shape, layout)
        builds: list[Bellwether] = []
        checkouts = [(THIS, ROOT), *([(OTHER, other.resolve())] if other else [])]
        for number, (name, checkout) in enumerate(checkouts):
            at = folder / f"build-{number}"
            own = layout if checkout == ROOT else replace(layout, settings={}, compacted=False)
            build = start_build(name, checkout, at, log, own)
            stack.callback(build.close)
            builds.append(build)
            if not files.exists():
                export(build, files)
        paths = sorted(files.glob("*.parquet"))
        found: list[Engine] = []
        for number, name in enumerate(peers):
            peer = _peer(name, shape, layout, paths, folder / f"peer-{number}")
            stack.callback(peer.close)
            found.append(peer)
        yield Ready(builds, found, paths)


def _peer(name: str, shape: Shape, layout: Layout, files: Sequence[Path], folder: Path) -> Engine:
    if name == VICTORIALOGS:
        return VictoriaLogs(shape, folder)
    listed = [str(one) for one in files]
    return PeerProcess(Start(name, shape.kind, listed, str(folder), layout.threads))


def target() -> Target:
    """The ids of the dataset in a data folder that a first start makes."""
    team = team_id(_SLUG)
    env = environment_id(team, _SLUG)
    return Target(team, env, dataset_id(team, env, TABLE))


def write_rows(log: Path, shape: Shape, layout: Layout) -> None:
    """Write a log that holds the rows."""
    write_log(log, target(), shape, layout.pieces, layout.partitions, layout.live)


def start_build(name: str, checkout: Path, folder: Path, log: Path, layout: Layout) -> Bellwether:
    """An installation of a checkout that has indexed a copy of the log. Raises NoAnswer."""
    shutil.copytree(log, folder / "data" / "log")
    one = Installation(name, checkout, folder)
    settings = {"BELLWETHER_INDEXER_SHARE_THREADS": str(layout.threads), **layout.settings}
    if checkout == ROOT:
        settings = own_settings(layout.compacted) | _SUMMARIES_AT_ONCE | settings
    if not layout.compiled:
        settings |= {"BELLWETHER_INDEXER_KERNEL": "false", "BELLWETHER_SHEPHERD_KERNEL": "false"}
    found = Bellwether(name, one, TABLE)
    try:
        one.start(KERNELS, compiled=layout.compiled, settings=settings)
        for slot in range(1, layout.indexers):
            one.start_indexer(slot, KERNELS, settings)
        status, body = found.request("POST", "/1/datasets", {"name": TABLE})
        if status >= 300:
            raise NoAnswer(f"{name}: {status} {body[:300]!r}")
        wait_sealed(found, layout.live, min(layout.indexers, layout.partitions))
        if layout.compacted:
            wait_compacted(found)
    except BaseException:
        found.close()
        raise
    return found


def wait_sealed(
    one: Bellwether, live: int = 0, holders: int = 1, ends: Mapping[int, int] | None = None
) -> None:
    """Until so many indexers hold partitions, every record is indexed, and all but the live rows
    are published. ends: offset of a partition's last marker. Raises NoAnswer.
    """
    until = time.monotonic() + _INDEXED_S
    while not (one.holders() >= holders and one.is_sealed(live, ends or {})):
        if time.monotonic() > until:
            raise NoAnswer(f"{one.name} has not sealed everything: {one.installation.partitions()}")
        time.sleep(_STEP_S)


def own_settings(compacted: bool) -> dict[str, str]:
    """Of this build: small segments are put together as fast as it can, or not at all.

    Documents of the newest version are written at once: no earlier build runs beside it.
    """
    wanted = {
        PERCENT: "100" if compacted else "0",
        "compaction_requests_per_day": "1000000000",
        "formats_wait_s": "0",
    }
    known = IndexerConfig.__dataclass_fields__
    return {
        f"BELLWETHER_INDEXER_{name.upper()}": value
        for name, value in wanted.items()
        if name in known
    }


# Else their making, spread over minutes, is part of what is measured.
_SUMMARIES_AT_ONCE = {
    "BELLWETHER_INDEXER_SUMMARY_PERCENT": "100",
    "BELLWETHER_INDEXER_SUMMARY_REQUESTS_PER_DAY": "1000000000",
}


def wait_idle(one: Bellwether) -> float:
    """Until it has neither put segments together nor made summaries for some time; returns the
    seconds that this took. Raises NoAnswer.
    """
    began = since = time.monotonic()
    while time.monotonic() - since < _IDLE_S:
        time.sleep(_STEP_S)
        if not one.is_idle():
            since = time.monotonic()
        if since - began > _IDLE_WAIT_S:
            raise NoAnswer(f"{one.name} still works in the background: {one.compaction()}")
    return time.monotonic() - began


def wait_formats(one: Bellwether) -> None:
    """Until documents of the newest version may be written. Raises NoAnswer."""
    until = time.monotonic() + _FORMATS_S
    while not all(each.get("documents") == each.get("known") for each in one.formats()):
        if time.monotonic() > until:
            raise NoAnswer(f"{one.name} may not write all documents: {one.formats()}")
        time.sleep(_STEP_S)


def wait_compacted(one: Bellwether) -> None:
    """Until nothing has been left to put together for some time. Raises NoAnswer."""
    until = time.monotonic() + _INDEXED_S
    seen, since = one.compaction(), time.monotonic()
    while time.monotonic() - since < _QUIET_S:
        time.sleep(_STEP_S)
        now = one.compaction()
        if not now.on:
            raise NoAnswer(f"{one.name} puts nothing together")
        if time.monotonic() > until:
            raise NoAnswer(f"{one.name} has not put everything together: {now}")
        if now.due or now.outputs != seen.outputs:
            seen, since = now, time.monotonic()


def export(one: Bellwether, folder: Path) -> None:
    """What holds the dataset now, as plain Parquet files. Raises NoAnswer."""
    data = one.installation.folder / "data"
    environ = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
    command = ["segments", TABLE, "--extract", str(folder), "--data", str(data)]
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", *command],
        env={**environ, "PYTHONPATH": str(one.installation.checkout)},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoAnswer(f"bellwether {' '.join(command)}: {done.stdout} {done.stderr}")
