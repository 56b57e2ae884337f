"""Which refusals exporters are told to repeat: whatever ends with 400 they drop for good."""

from common.errors import BellwetherError, Unavailable
from common.process.http.body_reader import BodyTooSlow


def repeatable(error: BellwetherError) -> BellwetherError:
    """The error as an exporter must be told it.

    That a body came too slowly may be the network's fault or ours, and never means that what is in
    it cannot be stored.
    """
    return Unavailable(str(error)) if isinstance(error, BodyTooSlow) else error
