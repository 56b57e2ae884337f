"""A shepherd's CPU per record of the Kafka log: `python -m benchmarks.kafka_builds OTHER...`.

The whole path: an HTTP body of 100 events, one record, a real broker's acknowledgement, the
response. One shepherd of each checkout and this one twice run side by side against the same
three brokers.
Each round sends the same bodies to each of them in a random order. The result is the median of the
rounds' ratios; the same build against itself says how far such a ratio can be trusted here.
"""

import random
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import click

from benchmarks.harness.machine import describe_machine, describe_versions, one_line
from benchmarks.serving.client import request, send_all
from benchmarks.serving.events import is_accepted
from benchmarks.serving.roles import Roles
from benchmarks.two_builds import bodies_of_spans, cpu_ns
from compose.cluster.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent
WARM_UP_ROUNDS = 3
_QUIET_S = 0.1  # what still runs after the last response belongs to the round
_RECORDS = re.compile(r"^bellwether_log_append_seconds_count (.*)$", re.MULTILINE)
_CONNECTIONS = (1, 8)  # one record in each request to the broker; several


class Build:
    """A shepherd of one checkout, with a topic of its own."""

    def __init__(self, name: str, checkout: Path, folder: Path, servers: str) -> None:
        self.name = name
        kernels = Path.home() / ".cache" / "bellwether" / "two-builds" / checkout.name
        self.roles = Roles(
            folder,
            kernels / "kernel",
            {
                "PYTHONPATH": str(checkout),
                "PYTHONSAFEPATH": "1",  # the working directory is another checkout
                "BELLWETHER_BACKENDS_LOG": "kafka",
                "BELLWETHER_KAFKA_SERVERS": servers,
                "BELLWETHER_KAFKA_TOPIC": f"build-{folder.name}",
            },
        )
        self.roles.start("shepherd")
        self.roles.wait_kernels()

    def round(self, bodies: list[bytes], connections: int) -> tuple[float, float]:
        """Nanoseconds of CPU per record, and records per body."""
        head = {"X-Honeycomb-Team": self.roles.shepherd.key, "Content-Type": "application/json"}
        requests = [request("/1/batch/cost", head, body) for body in bodies]
        pid = self.roles.pids()["shepherd"]
        records, used_ns = self._records(), cpu_ns(pid)
        send_all([self.roles.address], requests, connections, is_accepted)
        time.sleep(_QUIET_S)
        used_ns = cpu_ns(pid) - used_ns
        records = self._records() - records
        return used_ns / records, records / len(bodies)

    def _records(self) -> float:
        """Records that brokers have acknowledged."""
        with urlopen(f"{self.roles.internal_url('shepherd')}/metrics", timeout=10) as answer:
            found = _RECORDS.search(answer.read().decode())
        return float(found[1]) if found else 0.0


@click.command()
@click.argument("others", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--pairs", default=30, show_default=True)
@click.option("--requests", default=200, show_default=True, help="In each round.")
@click.option("--size", default=100, show_default=True, help="Events of a body.")
def main(others: tuple[Path, ...], pairs: int, requests: int, size: int) -> None:
    """Compare this checkout with OTHERS, the folders of other ones."""
    chance = random.Random(1)
    print(one_line(describe_machine()))
    print(describe_versions(), flush=True)
    root = Path(tempfile.mkdtemp(prefix="kafka-builds-"))
    named = [("this", ROOT), ("this again", ROOT)]
    named += [(other.resolve().name, other.resolve()) for other in others]
    builds: list[Build] = []
    try:
        with Cluster(root / "servers", ("kafka",)) as cluster:
            for number, (name, checkout) in enumerate(named):
                builds.append(Build(name, checkout, root / str(number), cluster.kafka.servers))
            rounds: dict[int, list[dict[str, tuple[float, float]]]] = {n: [] for n in _CONNECTIONS}
            for number in range(WARM_UP_ROUNDS + pairs):
                bodies = bodies_of_spans(requests, size, chance)
                for connections, found in rounds.items():
                    order = chance.sample(builds, len(builds))
                    used = {one.name: one.round(bodies, connections) for one in order}
                    if number >= WARM_UP_ROUNDS:
                        found.append(used)
            for connections, found in rounds.items():
                _show(connections, found, [name for name, _ in named])
    finally:
        for one in builds:
            one.roles.close()
        shutil.rmtree(root, ignore_errors=True)


def _show(connections: int, rounds: list[dict[str, tuple[float, float]]], names: list[str]) -> None:
    print(f"{len(rounds)} rounds over {connections} connections; us of CPU per record, medians")
    this = statistics.median(used["this"][0] for used in rounds)
    for name in names[1:]:
        ratios = sorted(used[name][0] / used["this"][0] for used in rounds)
        low, high = ratios[len(ratios) // 4], ratios[-len(ratios) // 4]
        other = statistics.median(used[name][0] for used in rounds)
        records = statistics.median(used[name][1] for used in rounds)
        print(
            f"{name} {other / 1000:.0f} / this {this / 1000:.0f}: {statistics.median(ratios):.3f} "
            f"(half of them {low:.3f} to {high:.3f}); {records:.2f} records per body"
        )


if __name__ == "__main__":
    main()
