"""The store's response to a batch: the refused events, or that it has to be sent again."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from bellwether.send.prepare.prepare import Ready

# Statuses of a request, or of an event in it, that a later attempt may change
AGAIN = (408, 429, 500, 502, 503, 504)
_GOOD = (200, 202)
_STORED = b'{"status":202}'


class SendAgain(NamedTuple):
    """The whole batch has to be sent again, under its id, for this reason."""

    reason: str


class BadAnswer(Exception):
    """The response is not one to a batch; the text has the reason."""


def read_verdicts(body: bytes, events: Sequence[Ready]) -> list[tuple[Ready, str]] | SendAgain:
    """The events that were refused, each with its reason. Raises BadAnswer."""
    if body == b"[" + b",".join([_STORED] * len(events)) + b"]":
        return []  # as nearly always: no event is checked one by one
    try:
        statuses = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadAnswer("gave an answer that is no JSON") from error
    if not isinstance(statuses, list) or len(statuses) != len(events):
        raise BadAnswer(f"did not answer for each of {len(events)} events")
    refused = []
    for event, verdict in zip(events, statuses, strict=True):
        status, why = verdict["status"], str(verdict.get("error", verdict["status"]))
        if status in AGAIN:
            return SendAgain(why)
        if status not in _GOOD:
            refused.append((event, why))
    return refused
