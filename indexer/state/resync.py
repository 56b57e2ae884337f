"""What ends a partition's run so that it begins again from the newest manifest."""

from common.errors import BellwetherError


class Resync(BellwetherError):
    """The log or the chain is not where we thought: resume from the newest manifest."""
