"""The body of an answer to a batch: the status of each event, in order.

Nearly always every event is stored, and the body then depends on their number alone.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import msgpack
import orjson

from common import limits
from common.errors import LogRefused, LogUnavailable
from common.scan.events import Refused
from shepherd.delivery.batcher import Stored
from shepherd.honeycomb.split.interface import Split
from shepherd.http.body import Media
from shepherd.http.request import BATCH_ID_NAME

_STORED = {"status": 202}
_STORED_JSON = orjson.dumps(_STORED)
_STORED_MSGPACK: bytes = msgpack.packb(_STORED)


def told_with_remedy(stored: Sequence[Stored], *, named: bool) -> list[Stored]:
    """The same, and where it is not known whether events are stored, what the client can do.

    named: whether the client gave the request a batch id.
    """
    return [
        Stored(part.events, _with_remedy(part.outcome, named))
        if isinstance(part.outcome, LogUnavailable) and not isinstance(part.outcome, LogRefused)
        else part
        for part in stored
    ]


def _with_remedy(error: LogUnavailable, named: bool) -> LogUnavailable:
    if named:
        remedy = f"send it again with the same {BATCH_ID_NAME}: it is stored once"
    else:
        remedy = (
            f"sent again it may be there twice; give each request an {BATCH_ID_NAME} of its own, "
            "then it can be sent again and is stored once"
        )
    return LogUnavailable(f"{error}; {remedy}", error.retry_after_s or 1)


def batch_body(split: Split, stored: Sequence[Stored], media: Media) -> bytes:
    """202, or the event's own 400 or 503 with its error. Errors beyond what one answer holds are
    only named by their rule.
    """
    packed = media is Media.MSGPACK
    pieces = [_STORED_MSGPACK if packed else _STORED_JSON] * split.events
    encode = msgpack.packb if packed else orjson.dumps
    if split.refused:
        _put_refused(pieces, split.refused, encode)
    if any(isinstance(part.outcome, LogUnavailable) for part in stored):
        _put_lost(pieces, split.refused, stored, encode)
    if packed:
        head: bytes = msgpack.Packer().pack_array_header(split.events)
        return head + b"".join(pieces)
    return b"[%b]" % b",".join(pieces)


def _put_refused(
    pieces: list[bytes],
    refused: Sequence[tuple[int, Refused]],
    encode: Callable[[object], bytes],
) -> None:
    room = limits.ANSWER_ERRORS_BYTES_MAX
    known: dict[str, bytes] = {}  # a body's errors are mostly alike
    for place, why in refused:
        error = why.error if room > 0 else why.rule.value
        piece = known.get(error)
        if piece is None:
            piece = known[error] = encode({"status": 400, "error": error})
        room -= len(piece)
        pieces[place] = piece


def _put_lost(
    pieces: list[bytes],
    refused: Sequence[tuple[int, Refused]],
    stored: Sequence[Stored],
    encode: Callable[[object], bytes],
) -> None:
    skipped = {place for place, _ in refused}
    places = (place for place in range(len(pieces)) if place not in skipped)
    for part in stored:
        own = islice(places, part.events)
        if isinstance(part.outcome, LogUnavailable):
            piece = encode({"status": 503, "error": str(part.outcome)})
            for place in own:
                pieces[place] = piece
        else:
            deque(own, maxlen=0)
