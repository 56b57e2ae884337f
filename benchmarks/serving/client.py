"""A client that costs little: ready-made requests over kept connections, each answer checked.

It shares the machine with the servers, so its own time is in the wall time, but it is not counted
as theirs.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Address = tuple[str, int]
Check = Callable[[int, bytes], bool]  # status and body of an answer


@dataclass(frozen=True, slots=True)
class Sent:
    """How long each request took until its answer was read, in seconds, and all together."""

    waits_s: Sequence[float]
    took_s: float

    def figures(self, events: int) -> dict[str, float]:
        """As the report shows them."""
        speed = {"acknowledged events/s": events / self.took_s}
        return speed | percentiles_ms("ack", self.waits_s)


def percentiles_ms(name: str, waits_s: Sequence[float]) -> dict[str, float]:
    """Half of them, and all but one in a hundred, took no longer."""
    p50, p99 = np.percentile(np.array(waits_s) * 1e3, [50, 99])
    return {f"{name} p50 ms": float(p50), f"{name} p99 ms": float(p99)}


class NotAccepted(Exception):
    """An answer was not as it must be; the text holds its beginning."""


def request(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def send_all(
    addresses: Sequence[Address], requests: Iterable[bytes], connections: int, check: Check
) -> Sent:
    """Send everything over so many connections at once, one request at a time on each.

    The connections go to the addresses in turn. Raises NotAccepted.
    """
    return asyncio.run(_send_all(addresses, iter(requests), connections, check))


async def _send_all(
    addresses: Sequence[Address], todo: Iterator[bytes], connections: int, check: Check
) -> Sent:
    waits_s: list[float] = []
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            address = addresses[number % len(addresses)]
            group.create_task(_connection(address, todo, check, waits_s))
    return Sent(waits_s, time.perf_counter() - began)


async def _connection(
    address: Address, todo: Iterator[bytes], check: Check, waits_s: list[float]
) -> None:
    reader, writer = await asyncio.open_connection(*address)
    try:
        for one in todo:
            began = time.perf_counter()
            writer.write(one)
            status, body = await _answer(reader)
            waits_s.append(time.perf_counter() - began)
            if not check(status, body):
                raise NotAccepted(f"{status} {body[:300]!r}")
    finally:
        writer.close()
        await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    length = 0
    for line in head[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(head[0].split()[1]), await reader.readexactly(length)
