"""The error that ends a partition's run, which then resumes from the newest manifest."""

from common.errors import BellwetherError


class Resync(BellwetherError):
    """The log or the chain of manifests differs from the view: resume from the newest manifest."""
