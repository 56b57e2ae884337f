"""The refusal of a share that is too large."""

from collections.abc import Callable
from typing import NamedTuple

from common.errors import Unprocessable


class ShareTooHeavy(Unprocessable):
    """The share needs more memory or room than one query may have."""


class Bounds(NamedTuple):
    """The most rows of a statement and bytes of all states, and what refuses more."""

    rows_max: int
    bytes_max: int
    too_many_rows: Callable[[int], ShareTooHeavy]
    too_large: Callable[[int], ShareTooHeavy]

    def check(self, rows: int, size: int) -> None:
        """Raises ShareTooHeavy."""
        if rows > self.rows_max:
            raise self.too_many_rows(self.rows_max)
        if size > self.bytes_max:
            raise self.too_large(self.bytes_max)


def too_many_cells(rows_max: int) -> ShareTooHeavy:
    """For a state of more cells than this."""
    return ShareTooHeavy(
        f"the query has more than {rows_max} groups and steps: filter more, "
        "or break down by fewer values"
    )


def too_many_bytes(bytes_max: int) -> ShareTooHeavy:
    """For states that are larger than one share may send."""
    return ShareTooHeavy(
        f"the query's states take more than {bytes_max // 2**20} MiB, which one share may send: "
        "filter more, or break down by fewer or shorter values"
    )


def too_many_instances(rows_max: int) -> ShareTooHeavy:
    """For more instances than one question may gather."""
    return ShareTooHeavy(
        f"the question is about more than {rows_max:,} instances (PER), which one may gather: "
        "shorten its time range, or filter more"
    )


def too_many_instance_bytes(bytes_max: int) -> ShareTooHeavy:
    """For instances that are larger than one share may send."""
    return ShareTooHeavy(
        f"the instances (PER) take more than {bytes_max // 2**20} MiB, which one share may send: "
        "shorten the time range, filter more, or name fewer fields"
    )


def too_many_spans(rows_max: int) -> ShareTooHeavy:
    """For more spans or traces than one question may gather."""
    return ShareTooHeavy(
        f"the question needs more than {rows_max:,} spans or traces, which one may gather: "
        "shorten its time range, or filter more"
    )


def too_many_span_bytes(bytes_max: int) -> ShareTooHeavy:
    """For spans or traces that are larger than one question may gather."""
    return ShareTooHeavy(
        f"the spans or traces that the question needs take more than {bytes_max // 2**20} MiB, "
        "which one may gather: shorten its time range, filter more, or name fewer fields"
    )
