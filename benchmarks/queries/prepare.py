"""Engines that are ready: builds that have indexed the rows, and peers over their segments."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.queries.data import Target, write_log
from benchmarks.queries.engine import Engine, NoAnswer
from benchmarks.queries.ours import Bellwether, segment_files
from benchmarks.queries.peer_process import PeerProcess
from benchmarks.queries.questions import VIEW
from benchmarks.queries.rows import Shape
from benchmarks.two_builds import ROOT, Installation
from common.model.names import dataset_id, environment_id, team_id

THIS, OTHER = "bellwether", "bellwether (other)"
_KERNELS = Path.home() / ".cache" / "bellwether" / "two-builds"
_SLUG = "default"  # of the team and the environment that a first start makes
_INDEXED_S = 3_600.0
_STEP_S = 0.2


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows are stored. pieces: cuts by marker, 0: at the format's limits alone.

    partitions: of the log. threads: of every engine, for one question. compiled: whether
    indexing uses compiled code, which may first have to be compiled.
    """

    pieces: int = 0
    partitions: int = 1
    threads: int = 2
    compiled: bool = True


@contextmanager
def engines(
    folder: Path, shape: Shape, layout: Layout, other: Path | None, peers: list[str]
) -> Iterator[list[Engine]]:
    """This build, the other one if it is given, and these peers over the files of this build."""
    source = folder / "log"
    write_log(source, _target(), shape, layout.pieces, layout.partitions)
    with ExitStack() as stack:
        found: list[Engine] = []
        builds = [(THIS, ROOT), *([(OTHER, other.resolve())] if other else [])]
        for number, (name, checkout) in enumerate(builds):
            one = _start(name, checkout, folder / f"build-{number}", source, layout)
            stack.callback(one.close)
            _wait_indexed(one)
            found.append(one)
        files = segment_files(folder / "build-0" / "data")
        for number, name in enumerate(peers):
            peer = PeerProcess(name, files, folder / f"peer-{number}", layout.threads)
            stack.callback(peer.close)
            found.append(peer)
        yield found


def _target() -> Target:
    team = team_id(_SLUG)
    env = environment_id(team, _SLUG)
    return Target(team, env, dataset_id(team, env, VIEW))


def _start(name: str, checkout: Path, folder: Path, log: Path, layout: Layout) -> Bellwether:
    """An installation of a checkout whose log is a copy of this one."""
    shutil.copytree(log, folder / "data" / "log")
    one = Installation(name, checkout, folder)
    settings = {"BELLWETHER_INDEXER_SHARE_THREADS": str(layout.threads)}
    if not layout.compiled:
        settings |= {"BELLWETHER_INDEXER_KERNEL": "false", "BELLWETHER_SHEPHERD_KERNEL": "false"}
    one.start(_KERNELS, compiled=layout.compiled, settings=settings)
    found = Bellwether(name, one, VIEW)
    status, body = found.request("POST", "/1/datasets", {"name": VIEW})
    if status >= 300:
        raise NoAnswer(f"{name}: {status} {body[:300]!r}")
    return found


def _wait_indexed(one: Bellwether) -> None:
    """Until every record is indexed and every row in a segment. Raises NoAnswer."""
    until = time.monotonic() + _INDEXED_S
    while not one.is_sealed():
        if time.monotonic() > until:
            raise NoAnswer(f"{one.name} has not sealed everything: {one.installation.partitions()}")
        time.sleep(_STEP_S)
