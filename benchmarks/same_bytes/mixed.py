"""Roles of both builds as processes of one data folder, as during a rolling restart."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.same_bytes import questions
from benchmarks.same_bytes.build import Build
from benchmarks.same_bytes.report import Report
from benchmarks.serving.roles import free_port
from benchmarks.two_builds import Installation

_READY_S = 120.0
_STEP_S = 0.1
_SETTINGS = "[log]\npartitions = 2\n[shepherd]\nkernel = false\n"
# Shepherd, the indexers of zones a and b, query: t this build, o the other one.
_TURNS = ("otto", "toot", "ttoo")
_ROLES = ("shepherd", "indexer a", "indexer b", "query")
_EXPECTED = "tttt"


def run(report: Report, this: Build, that: Build, moment_s: int) -> None:
    """Compare the answers of mixed roles with those of roles of this build alone."""
    builds = {"t": this, "o": that}
    expected = _answers(this, _EXPECTED, builds, moment_s)
    for turn in _TURNS:
        found = _answers(this, turn, builds, moment_s)
        names = ", ".join(
            f"{role} {builds[letter].name}"
            for role, letter in zip(_ROLES, turn, strict=True)
        )  # fmt: skip
        report.compare(f"mixed roles ({names})", found, expected)


def _answers(first: Build, turn: str, builds: dict[str, Build], moment_s: int) -> dict[str, str]:
    folder = first.scratch / f"mixed-{turn}"
    with first.up(folder, _SETTINGS):
        pass  # makes team, key and log
    with _roles(folder, turn, builds) as running:
        receipt = questions.send(running, moment_s)
        found = questions.answers(running, moment_s, receipt, brief=True)
        cut = questions.call(running, "POST", "/bw/1/cut", "{}")
        after = questions.answers(running, moment_s, receipt, brief=True)
        indexers = questions.status(running)["indexers"]
        differing = [
            str(partition["divergences"])
            for one in indexers
            for partition in one["status"]["partitions"].values()
            if partition["divergences"]
        ]
    verified = first.bellwether("verify", "--data", str(folder / "data")).splitlines()[-2:]
    found |= {f"after a cut: {name}": text for name, text in after.items()}
    return found | {
        "cut": str(cut[0]), "indexers": str(len(indexers)), "divergences": str(differing),
        "verify": "\n".join(verified),
    }  # fmt: skip


@contextlib.contextmanager
def _roles(folder: Path, turn: str, builds: dict[str, Build]) -> Iterator[Installation]:
    """The roles, running; the data folder was used before."""
    port = free_port()
    running = Installation("mixed", builds["t"].checkout, folder)
    running.url = f"http://127.0.0.1:{port}"
    running.key = (folder / "data" / "secrets" / "key").read_text().strip()
    roles = [("shepherd", "a"), ("indexer", "a"), ("indexer", "b"), ("query", "a")]
    processes = []
    try:
        for (role, zone), letter in zip(roles, turn, strict=True):
            build = builds[letter]
            environ = build.environ({
                "BELLWETHER_NODE_DATA": str(folder / "data"), "BELLWETHER_NODE_ZONE": zone,
                "BELLWETHER_NODE_TELEMETRY": "false", "BELLWETHER_SHEPHERD_PORT": str(port),
                "BELLWETHER_INDEXER_COPIES": "2",
            })  # fmt: skip
            command = [sys.executable, "-m", "bellwether", role]
            with (folder / f"{role}-{zone}.out").open("wb") as output:
                processes.append(
                    subprocess.Popen(
                        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL,
                        stdout=output, stderr=subprocess.STDOUT,
                    )
                )  # fmt: skip
        _wait_ready(running, processes, folder)
        yield running
    finally:
        for process in processes:
            process.terminate()
            process.wait(60)


def _wait_ready(
    running: Installation, processes: list[subprocess.Popen[bytes]], folder: Path
) -> None:
    until_s = time.monotonic() + _READY_S
    while True:
        for process in processes:
            if process.poll() is not None:
                texts = [path.read_text()[-1_500:] for path in folder.glob("*.out")]
                raise RuntimeError("a role ended:\n" + "\n".join(texts))
        with contextlib.suppress(OSError, KeyError, json.JSONDecodeError):
            roles = questions.status(running)["roles"]
            if len(roles) == len(processes) and all(one["ready"] for one in roles):
                return
        if time.monotonic() > until_s:
            raise RuntimeError(f"the roles were not ready within {_READY_S:.0f} s")
        time.sleep(_STEP_S)
