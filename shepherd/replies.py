"""The body of an answer to a batch: the status of each event, in order.

Nearly always every event is stored, and the body then depends on their number alone.
"""

from collections.abc import Sequence

import msgpack
import orjson

from common.errors import LogUnavailable
from common.scan.events import Refused
from shepherd.batcher import Stored
from shepherd.body import Media
from shepherd.split.interface import Split

_STORED = {"status": 202}
_STORED_JSON = orjson.dumps(_STORED)
_STORED_MSGPACK: bytes = msgpack.packb(_STORED)


def batch_body(split: Split, stored: Sequence[Stored], media: Media) -> bytes:
    """202, or the event's own 400 or 503 with its error."""
    lost = any(isinstance(part.outcome, LogUnavailable) for part in stored)
    if not split.refused and not lost:
        if media is Media.MSGPACK:
            head: bytes = msgpack.Packer().pack_array_header(split.events)
            return head + _STORED_MSGPACK * split.events
        return b"[%b]" % b",".join([_STORED_JSON] * split.events)
    statuses = _statuses(split, stored)
    packed: bytes = msgpack.packb(statuses) if media is Media.MSGPACK else orjson.dumps(statuses)
    return packed


def _statuses(split: Split, stored: Sequence[Stored]) -> list[dict[str, int | str]]:
    refused: dict[int, Refused] = dict(split.refused)
    fates = (part.outcome for part in stored for _ in range(part.events))
    statuses: list[dict[str, int | str]] = []
    for place in range(split.events):
        if place in refused:
            statuses.append({"status": 400, "error": refused[place].error})
        elif isinstance(fate := next(fates), LogUnavailable):
            statuses.append({"status": 503, "error": str(fate)})
        else:
            statuses.append(dict(_STORED))
    return statuses
