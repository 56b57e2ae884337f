"""Why a share was not computed: cancelled, out of memory, or an error of its database."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from common.error_text import describe_error
from common.errors import BellwetherError
from query.cancellation import Cancellation
from query.share.compute.database import ran_out_of_memory
from query.share.compute.too_heavy import ShareTooHeavy


class ShareCancelled(Exception):
    """The share was cancelled: its caller has disconnected, or its time is up."""


@contextmanager
def named_errors(cancelled: Cancellation, described: str) -> Iterator[None]:
    """Translate DuckDB's errors. Any call may raise that it was interrupted.

    described: the memory that one query may use, in words.
    """
    import duckdb  # see `Databases.use`

    try:
        yield
    except duckdb.InterruptException as error:
        raise ShareCancelled from error
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        if cancelled.is_set():
            raise ShareCancelled from error
        if ran_out_of_memory(error):
            raise _out_of_memory(described) from error
        why = describe_error(error)  # its text may quote values of events
        raise BellwetherError(f"the share cannot be computed: {why}") from error


def _out_of_memory(described: str) -> ShareTooHeavy:
    return ShareTooHeavy(
        f"the query needs more memory than one query may use ({described}): "
        "shorten the time range, filter more, or break down by fewer values"
    )
