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

from benchmarks.queries.asked import TABLE
from benchmarks.queries.data import Target, write_log
from benchmarks.queries.engine import Engine, NoAnswer
from benchmarks.queries.ours import Bellwether
from benchmarks.queries.peer_process import PeerProcess
from benchmarks.queries.peers import Start
from benchmarks.queries.rows import Shape
from benchmarks.queries.victorialogs import VICTORIALOGS, VictoriaLogs
from benchmarks.two_builds import ROOT, Installation
from common.model.names import dataset_id, environment_id, team_id

THIS, OTHER = "bellwether", "bellwether (other)"
_KERNELS = Path.home() / ".cache" / "bellwether" / "two-builds"
_SLUG = "default"  # of the team and the environment that a first start makes
_INDEXED_S = 7_200.0
_STEP_S = 0.2


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows are stored and by whom they are served.

    pieces: cuts by marker, 0: at the format's limits alone. live: rows that are not cut.
    partitions: of the log. indexers: processes that share them. threads: of every engine, for one
    question. compiled: whether indexing uses compiled code, which may first have to be compiled.
    settings: more environment variables of this build's processes.
    """

    pieces: int = 0
    partitions: int = 1
    live: int = 0
    indexers: int = 1
    threads: int = 2
    compiled: bool = True
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
            _write(log, shape, sealed)
            one = start_build(THIS, ROOT, folder / "sealed", log, sealed)
            _export(one, files)
            one.close()
            shutil.rmtree(log)
        _write(log, shape, layout)
        builds: list[Bellwether] = []
        checkouts = [(THIS, ROOT), *([(OTHER, other.resolve())] if other else [])]
        for number, (name, checkout) in enumerate(checkouts):
            at = folder / f"build-{number}"
            own = layout if checkout == ROOT else replace(layout, settings={})
            build = start_build(name, checkout, at, log, own)
            stack.callback(build.close)
            builds.append(build)
            if not files.exists():
                _export(build, files)
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


def _write(log: Path, shape: Shape, layout: Layout) -> None:
    write_log(log, target(), shape, layout.pieces, layout.partitions, layout.live)


def start_build(name: str, checkout: Path, folder: Path, log: Path, layout: Layout) -> Bellwether:
    """An installation of a checkout that has indexed a copy of the log. Raises NoAnswer."""
    shutil.copytree(log, folder / "data" / "log")
    one = Installation(name, checkout, folder)
    settings = {"BELLWETHER_INDEXER_SHARE_THREADS": str(layout.threads), **layout.settings}
    if not layout.compiled:
        settings |= {"BELLWETHER_INDEXER_KERNEL": "false", "BELLWETHER_SHEPHERD_KERNEL": "false"}
    found = Bellwether(name, one, TABLE)
    try:
        one.start(_KERNELS, compiled=layout.compiled, settings=settings)
        for slot in range(1, layout.indexers):
            one.start_indexer(slot, _KERNELS, settings)
        status, body = found.request("POST", "/1/datasets", {"name": TABLE})
        if status >= 300:
            raise NoAnswer(f"{name}: {status} {body[:300]!r}")
        wait_indexed(found, layout)
    except BaseException:
        found.close()
        raise
    return found


def wait_indexed(one: Bellwether, layout: Layout) -> None:
    """Until all indexers hold partitions, every record is indexed, and all but the live rows are
    published. Raises NoAnswer.
    """
    until = time.monotonic() + _INDEXED_S
    holders = min(layout.indexers, layout.partitions)
    while not (one.holders() >= holders and one.is_sealed(layout.live)):
        if time.monotonic() > until:
            raise NoAnswer(f"{one.name} has not sealed everything: {one.installation.partitions()}")
        time.sleep(_STEP_S)


def _export(one: Bellwether, folder: Path) -> None:
    """What holds the dataset now, as plain Parquet files. Raises NoAnswer."""
    data = one.installation.folder / "data"
    command = ["segments", TABLE, "--extract", str(folder), "--data", str(data)]
    done = subprocess.run(
        [sys.executable, "-m", "bellwether", *command],
        env={**os.environ, "PYTHONPATH": str(one.installation.checkout)},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoAnswer(f"bellwether {' '.join(command)}: {done.stdout} {done.stderr}")
