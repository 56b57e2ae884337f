"""Merges shares about fields: the number of events with each, its last time, some values."""

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

import pyarrow as pa

from common import limits
from query.share.states.version_1 import untagged

Value = int | float | bool | str


class FieldDetails(NamedTuple):
    """Statistics of one field.

    events: number of events that have it, weighted by sample rates.
    last_ns: event time of the last of these events (unix ns); None without events.
    samples: some of its values.
    """

    events: int
    last_ns: int | None
    samples: list[Value]


class Details(NamedTuple):
    """events: weighted number in the time range. fields: in the order of the request."""

    events: int
    fields: list[FieldDetails]


def merge_details(fields: int, answers: Sequence[dict[str, pa.Table]]) -> Details:
    """Merge the states of shares. fields: number of fields."""
    rows = [row for answer in answers for row in answer["main"].to_pylist()]
    found = []
    for at in range(1, fields + 1):
        lasts = [row[f"a{at}_last"] for row in rows if row[f"a{at}_last"] is not None]
        found.append(
            FieldDetails(
                sum(row[f"a{at}_w"] or 0 for row in rows),
                max(lasts, default=None),
                _samples([row[f"a{at}_top"] or [] for row in rows]),
            )
        )
    return Details(sum(row["a0_w"] or 0 for row in rows), found)


def _samples(tops: Sequence[Sequence[str | None]]) -> list[Value]:
    """Values of all shares without duplicates; the most frequent of each share first."""
    in_turn = chain.from_iterable(zip_longest(*tops))
    keys = [key for key in dict.fromkeys(in_turn) if key is not None]
    return [_shown(key) for key in keys[: limits.FIELD_SAMPLES_MAX]]


def _shown(key: str) -> Value:
    """The value of a tagged key; a truncated text ends with three dots."""
    if key.startswith("s") and len(key) > limits.FIELD_SAMPLE_CHARS_MAX + 1:
        return key[1 : limits.FIELD_SAMPLE_CHARS_MAX + 1] + "..."
    value = untagged(key)
    assert value is not None
    return value
