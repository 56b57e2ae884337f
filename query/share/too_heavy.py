"""The refusal of a share that is too large."""

from common.errors import Unprocessable


class ShareTooHeavy(Unprocessable):
    """The share needs more memory or room than one query may have."""


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
