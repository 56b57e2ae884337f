"""Append latency and throughput of the embedded log: `python -m benchmarks.embedded_log FOLDER`.

Prints a row for each number of concurrent waiters and record size, and the CPU of waiting idle.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from common.clock import SystemClock
from common.log.embedded.log import EmbeddedLog
from common.model.record import Kind, Record

ROUNDS = ((1, 1_000, 1_000), (16, 1_000, 8_000), (1, 100_000, 400), (16, 100_000, 1_600))
IDLE_S = 5.0


async def measure(log: EmbeddedLog, waiters: int, size_bytes: int, count: int) -> str:
    """Append `count` records from some concurrent waiters to one partition."""
    record = Record(Kind.EVENTS, os.urandom(size_bytes), batch=bytes(16), dataset="d", n=1)
    took_s: list[float] = []

    async def waiter() -> None:
        for _ in range(count // waiters):
            started = time.perf_counter()
            await log.append(0, record)
            took_s.append(time.perf_counter() - started)

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(waiter() for _ in range(waiters)))
    elapsed, used = time.perf_counter() - started, time.process_time() - cpu
    took_s.sort()
    p50, p99 = (took_s[int(len(took_s) * share)] * 1000 for share in (0.5, 0.99))
    return (
        f"{waiters:3} waiters, {size_bytes:6} B: p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, "
        f"{count / elapsed:7.0f} records/s, {count * size_bytes / elapsed / 1e6:6.1f} MB/s, "
        f"{used / elapsed:4.0%} of a core"
    )


async def idle(log: EmbeddedLog, wait_ms: int) -> str:
    """CPU of following every partition while nothing comes."""
    ends = [(await log.bounds(p)).end for p in range(4)]
    until, cpu = time.perf_counter() + IDLE_S, time.process_time()

    async def follow(partition: int) -> None:
        while time.perf_counter() < until:
            await log.read(partition, ends[partition], 1_000_000, wait_ms)

    await asyncio.gather(*(follow(p) for p in range(4)))
    return f"idle, 4 readers, wait_ms={wait_ms}: {(time.process_time() - cpu) / IDLE_S:.2%}"


async def main(folder: Path) -> None:
    """Every round, then idle."""
    log = EmbeddedLog(folder, 4, SystemClock())
    await log.open()
    for waiters, size_bytes, count in ROUNDS:
        sys.stdout.write(await measure(log, waiters, size_bytes, count) + "\n")
    for wait_ms in (100, 1000):
        sys.stdout.write(await idle(log, wait_ms) + "\n")
    await log.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
