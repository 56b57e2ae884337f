"""What clients notice when a broker goes bad: `python -m benchmarks.broker_faults FOLDER`.

Real brokers, one shepherd as a process of its own, requests at a fixed moderate rate through HTTP.
Runs with and without a fault follow each other, so that both see the same machine:

    (a) the client link to one of three brokers is a black hole
    (b) a broker is frozen, and then the one that is the active controller

Prints throughput and latency of every second, and whether the promised bounds are met: from the
third second on (for b: after the dip) throughput and p99 within 1.5 times the normal ones, no wait
beyond 5 s, nothing failed, a dip of at most 4 s (8 s for the controller). Counts are checked: each
acknowledged event is in the log once by the rules of conditional records.
"""

import argparse
import asyncio
import contextlib
import functools
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson

from benchmarks.harness.machine import describe_machine, one_line
from benchmarks.log_counts import counted_events
from common.clock import SystemClock
from common.log.kafka.config import KafkaConfig
from common.log.kafka.log import KafkaLog
from common.process.auth import KEY_HEADER
from compose.cluster.cluster import Cluster
from compose.cluster.roles import Role

WITHIN = 1.5
STEADY_AFTER_S = 2  # from the third second on
WAIT_MAX_S = 5.0
DIP_MAX_S = {"hole": 0.0, "freeze": 4.0, "freeze controller": 8.0}
WARM_UP_S = 5
_DIP_STEP_S = 0.25
SETTLE_S = 45  # until leaders are back where they were and what was late has landed


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: when it was due (seconds into the run), how long it took, its status."""

    due_s: float
    took_s: float
    status: int


@dataclass(slots=True)
class Run:
    """What one run saw."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    def window(self, begin_s: float, end_s: float) -> list[Sample]:
        """Requests that were due in a stretch of the run."""
        return [s for s in self.samples if begin_s <= s.due_s < end_s]


@dataclass(slots=True)
class Client:
    """Sends uniquely numbered events at a fixed rate, late or not."""

    http: aiohttp.ClientSession
    url: str
    key: str
    rate_per_s: int
    events: int
    acked: set[int] = field(default_factory=set)
    _next: int = 0

    async def run(
        self, name: str, seconds: float, faults: dict[float, Callable[[], Awaitable[None]]]
    ) -> Run:
        """One run; `faults` are acts by their second."""
        loop, run, tasks = asyncio.get_running_loop(), Run(name), []
        began_s = loop.time()
        acts = [asyncio.create_task(_later(at_s, act)) for at_s, act in faults.items()]
        for n in range(int(seconds * self.rate_per_s)):
            due_s = n / self.rate_per_s
            await asyncio.sleep(max(0.0, began_s + due_s - loop.time()))
            tasks.append(asyncio.create_task(self._send(run, began_s, due_s)))
        await asyncio.gather(*tasks, *acts)
        return run

    async def _send(self, run: Run, began_s: float, due_s: float) -> None:
        first, self._next = self._next, self._next + self.events
        numbers = range(first, first + self.events)
        body = orjson.dumps([{"data": {"n": n, "pad": "x" * 300}} for n in numbers])
        loop = asyncio.get_running_loop()
        try:
            async with self.http.post(
                f"{self.url}/1/batch/faults", data=body, headers={KEY_HEADER: self.key}
            ) as reply:
                answers = await reply.json()
                status = reply.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        if status == 200:
            good = [n for n, a in zip(numbers, answers, strict=True) if a["status"] == 202]
            self.acked |= set(good)
            status = 200 if len(good) == self.events else 503
        run.samples.append(Sample(due_s, loop.time() - began_s - due_s, status))


async def _later(at_s: float, act: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(at_s)
    await act()


def quantile(samples: list[Sample], q: float) -> float:
    """Of the time that requests took, in seconds."""
    took = sorted(s.took_s for s in samples)
    return took[min(len(took) - 1, int(q * len(took)))] if took else 0.0


def say(text: str) -> None:
    """A line, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(run: Run, seconds: int) -> None:
    """Throughput and latency by second of answer and of start."""
    say(f"\n{run.name}\n  second  due  answered  p50 ms  p99 ms  max ms  failed")
    for second in range(seconds):
        due = run.window(second, second + 1)
        answered = sum(second <= s.due_s + s.took_s < second + 1 for s in run.samples)
        failed = sum(s.status != 200 for s in due)
        p50, p99 = (quantile(due, q) * 1000 for q in (0.5, 0.99))
        slowest = max((s.took_s for s in due), default=0.0) * 1000
        times = f"{p50:7.0f} {p99:7.0f} {slowest:7.0f}"
        say(f"  {second:6} {len(due):4} {answered:9} {times} {failed:7}")


def dip_s(run: Run, begin_s: float, end_s: float, normal_per_s: float) -> float:
    """How long, from the fault on, no quarter of a second had two thirds of the normal answers;
    0 when the first ones had.
    """
    ends = [s.due_s + s.took_s for s in run.samples if s.status == 200]
    enough = normal_per_s * _DIP_STEP_S / WITHIN
    dip_end_s = begin_s
    for step in range(int((end_s - begin_s) / _DIP_STEP_S)):
        at_s = begin_s + step * _DIP_STEP_S
        if sum(at_s <= e < at_s + _DIP_STEP_S for e in ends) >= enough:
            break
        dip_end_s = at_s + _DIP_STEP_S
    return dip_end_s - begin_s


def judge(run: Run, normal: list[Run], begin_s: float, end_s: float, kind: str) -> bool:
    """Print each bound as met or missed."""
    usual = [s for r in normal for s in r.samples if s.due_s >= 1]
    usual_p99_s = quantile(usual, 0.99)
    per_s = len([s for s in usual if s.status == 200]) / sum(
        max(s.due_s for s in r.samples) - 1 for r in normal
    )
    dip = dip_s(run, begin_s, end_s, per_s)
    from_s = begin_s + max(STEADY_AFTER_S, dip if DIP_MAX_S[kind] else 0)
    steady = run.window(from_s, end_s)
    p99_s = quantile(steady, 0.99)
    ends = [s.due_s + s.took_s for s in run.samples if s.status == 200]
    steady_per_s = sum(from_s <= e < end_s for e in ends) / (end_s - from_s)
    failed = Counter(s.status for s in run.samples if s.status != 200)
    slowest_s = max(s.took_s for s in run.samples)
    rates = f"{steady_per_s:.0f}/s, normal {per_s:.0f}/s"
    p99s = f"{p99_s * 1000:.0f} ms, normal {usual_p99_s * 1000:.0f} ms"
    bounds = [
        ("throughput", steady_per_s >= per_s / WITHIN, rates),
        ("ack p99", p99_s <= usual_p99_s * WITHIN, p99s),
        ("longest wait", slowest_s <= WAIT_MAX_S, f"{slowest_s:.2f} s"),
    ]
    if limit_s := DIP_MAX_S[kind]:
        bounds.append(("dip", dip <= limit_s, f"{dip:.1f} s, at most {limit_s:.0f} s"))
    if not (kind == "freeze controller" and dip > WAIT_MAX_S):  # nobody could have served these
        bounds.append(("failed", not failed, f"{dict(failed) or 0}"))
    for name, met, figure in bounds:
        say(f"  {'met   ' if met else 'MISSED'} {name}: {figure}")
    return all(met for _, met, _ in bounds)


async def measure(cluster: Cluster, shepherd: Role, options: argparse.Namespace) -> bool:
    """All runs; whether every bound was met."""
    seconds, begin_s = options.seconds, 5.0
    end_s = float(seconds)
    met = True
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        client = Client(http, shepherd.public_url, cluster.key, options.rate, options.events)
        await client.run("warm-up", WARM_UP_S, {})  # thrown away
        normal: list[Run] = []
        for round_number in range(1, options.rounds + 1):
            for kind in options.faults:
                normal.append(await client.run("normal", seconds / 2, {}))
                heal = contextlib.ExitStack()
                run = await client.run(
                    f"round {round_number}: {kind} from second {begin_s:.0f} on", seconds,
                    {begin_s: functools.partial(_break, cluster, kind, heal)},
                )  # fmt: skip
                await asyncio.to_thread(heal.close)
                show(run, seconds)
                met &= judge(run, normal[-2:], begin_s, end_s, kind)
                await asyncio.sleep(options.settle)
        met &= await check_counts(cluster, client)
    return met


async def _break(cluster: Cluster, kind: str, heal: contextlib.ExitStack) -> None:
    """Start the fault; `heal` ends it."""
    kafka = cluster.kafka
    controller = await asyncio.to_thread(kafka.controller)
    if kind == "hole":
        link = cluster.proxy["kafka-2"]
        heal.callback(link.heal)
        await asyncio.to_thread(link.black_hole)
        return
    others = [broker for broker in kafka.brokers if broker is not controller]
    broker = controller if kind == "freeze controller" and controller else others[0]
    heal.callback(broker.resume)
    await asyncio.to_thread(broker.pause)


async def check_counts(cluster: Cluster, client: Client) -> bool:
    """Whether every acknowledged event counts once."""
    servers = cluster.environment()["BELLWETHER_KAFKA_SERVERS"]
    log = KafkaLog(KafkaConfig(servers=servers), SystemClock())
    await log.open()
    found = await counted_events(log)
    await log.close()
    lost = [n for n in client.acked if not found[n]]
    doubled = [n for n, count in found.items() if count > 1]
    say(f"\nacknowledged {len(client.acked)}, lost {len(lost)}, doubled {len(doubled)}")
    return not lost and not doubled


def main() -> int:
    """Start what is needed, measure, tell."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rate", type=int, default=60, help="requests per second")
    parser.add_argument("--events", type=int, default=20, help="events per request")
    parser.add_argument("--seconds", type=int, default=30, help="of a run; a fault begins at 5")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--settle", type=float, default=SETTLE_S, help="seconds after a fault")
    parser.add_argument("--faults", nargs="*", choices=DIP_MAX_S, default=list(DIP_MAX_S))
    options = parser.parse_args()
    say(one_line(describe_machine()))
    with Cluster(options.folder, parts=("proxy", "kafka"), say=say) as cluster:
        shepherd = cluster.roles.of("shepherd")[0]
        own = {"BELLWETHER_UP_KEY": cluster.key, "BELLWETHER_NODE_DATA": str(shepherd.data)}
        done = cluster.run("init", environ=own)
        if done.returncode:
            say(done.stdout + done.stderr)
            return 1
        cluster.roles.start([shepherd])
        cluster.roles.wait_ready([shepherd])
        met = asyncio.run(measure(cluster, shepherd, options))
    say("every bound was met" if met else "some bounds were missed")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
