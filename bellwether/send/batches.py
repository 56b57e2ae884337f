"""Group events into batches whose borders and ids depend on the file alone.

So an interrupted load repeats exactly the batches it had begun, and the store drops what it already
has (I2): `X-Bellwether-Batch-Id` is a hash of the batch's content, its place and the file.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from bellwether.send.prepare import Ready

# a batch is one or two records of the log, and a retry repeats little
BATCH_BYTES_MAX = 900_000
BATCH_EVENTS_MAX = 5_000
REFUSED_MAX = 1_000  # refused lines kept with one batch


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one request, in order, and what was refused between them.

    start, end: offsets in the decompressed file; body: JSON array, uncompressed.
    """

    number: int
    id: str
    start: int
    end: int
    events: tuple[Ready, ...] = field(repr=False)
    refused: tuple[Ready, ...] = field(repr=False)
    body: bytes = field(repr=False)


def batches(items: Iterator[Ready], seed: str, skip_to: int = 0) -> Iterator[Batch]:
    """Group events. `seed` names the file and the choices; events that end at or before `skip_to`
    (a batch's end from an earlier run) are passed over.
    """
    number = 0
    start = skip_to
    events: list[Ready] = []
    refused: list[Ready] = []
    parts: list[bytes] = []
    size = 2
    for item in items:
        if item.end <= skip_to:
            continue
        if item.error is not None:
            refused.append(item)
            if len(refused) >= REFUSED_MAX:
                yield _batch(number, seed, start, item.end, events, refused, parts)
                number, start, size = number + 1, item.end, 2
                events, refused, parts = [], [], []
            continue
        part = item.envelope()
        if events and (size + len(part) > BATCH_BYTES_MAX or len(events) >= BATCH_EVENTS_MAX):
            end = max([e.end for e in events[-1:]] + [r.end for r in refused[-1:]])
            yield _batch(number, seed, start, end, events, refused, parts)
            number, start, size = number + 1, end, 2
            events, refused, parts = [], [], []
        events.append(item)
        parts.append(part)
        size += len(part) + 1
    if events or refused:
        end = max(item.end for item in (*events[-1:], *refused[-1:]))
        yield _batch(number, seed, start, end, events, refused, parts)


def _batch(
    number: int,
    seed: str,
    start: int,
    end: int,
    events: list[Ready],
    refused: list[Ready],
    parts: list[bytes],
) -> Batch:
    body = b"[" + b",".join(parts) + b"]"
    digest = hashlib.sha256(f"{seed}\n{start}\n".encode() + body).hexdigest()
    return Batch(number, f"send-{digest[:40]}", start, end, tuple(events), tuple(refused), body)
