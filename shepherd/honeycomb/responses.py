"""Responses to requests for events: the receipt, and the status of each event of a batch.

In nearly all requests every event is stored, and the body then depends only on their number.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import msgpack
import orjson

from common import limits
from common.model.position import Position
from common.scan.events import Refused
from shepherd.honeycomb.media import Media
from shepherd.http.request import RECEIPT_HEADER, IngestResponse
from shepherd.ingest.decoded_events import Decoded, Stored
from shepherd.ingest.events_by_dataset import Outcome

_STORED = {"status": 202}
_STORED_JSON = orjson.dumps(_STORED)
_STORED_MSGPACK: bytes = msgpack.packb(_STORED)


def batch_response(outcome: Outcome, media: Media) -> IngestResponse:
    """The response to a batch that is not refused as a whole."""
    headers = receipt_headers(outcome)
    headers["Content-Type"] = f"application/{media}"
    (found,) = outcome.runs
    return IngestResponse(200, headers, batch_body(found.run.events, found.stored, media))


def receipt_headers(outcome: Outcome) -> dict[str, str]:
    """The receipt header, if any record was stored."""
    return {RECEIPT_HEADER: outcome.receipt} if outcome.receipt else {}


def batch_body(events: Decoded, stored: Sequence[Stored], media: Media) -> bytes:
    """Per event 202, or its own 400 or 503 with its error. Beyond the size limit of a response,
    errors have only the name of their rule.
    """
    packed = media is Media.MSGPACK
    pieces = [_STORED_MSGPACK if packed else _STORED_JSON] * events.events
    encode = msgpack.packb if packed else orjson.dumps
    if events.refused:
        _put_refused(pieces, events.refused, encode)
    if any(not isinstance(part.outcome, Position) for part in stored):
        _put_not_stored(pieces, events.refused, stored, encode)
    if packed:
        head: bytes = msgpack.Packer().pack_array_header(events.events)
        return head + b"".join(pieces)
    return b"[%b]" % b",".join(pieces)


def _put_refused(
    pieces: list[bytes],
    refused: Sequence[tuple[int, Refused]],
    encode: Callable[[object], bytes],
) -> None:
    room = limits.ANSWER_ERRORS_BYTES_MAX
    known: dict[str, bytes] = {}  # by error: most errors of a body are equal
    for index, why in refused:
        error = why.error if room > 0 else why.rule.value
        piece = known.get(error)
        if piece is None:
            piece = known[error] = encode({"status": 400, "error": error})
        room -= len(piece)
        pieces[index] = piece


def _put_not_stored(
    pieces: list[bytes],
    refused: Sequence[tuple[int, Refused]],
    stored: Sequence[Stored],
    encode: Callable[[object], bytes],
) -> None:
    skipped = {index for index, _ in refused}
    indexes = (index for index in range(len(pieces)) if index not in skipped)
    for part in stored:
        own = islice(indexes, part.events)
        if isinstance(part.outcome, Position):
            deque(own, maxlen=0)
        else:
            piece = encode({"status": part.outcome.status, "error": str(part.outcome)})
            for index in own:
                pieces[index] = piece
