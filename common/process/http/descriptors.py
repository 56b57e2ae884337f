"""How many files a process may have open, and how many connections that allows (I11, I14).

A role needs descriptors for more than connections: the log's files, the metadata, other roles,
segments. So listeners take shares of the limit, and the rest is kept back.
"""

import resource
from enum import Enum

from common import limits
from common.process.http.connection_limits import Capacity


class DescriptorShare(Enum):
    """The share of all descriptors that a listener may use, as its divisor."""

    PUBLIC = 2
    INTERNAL = 4  # for requests between roles
    BESIDE_PUBLIC = 16  # of a role whose public listener has the most


def raise_open_files() -> int:
    """Raise the limit of open files as far as the system allows; returns what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else hard
    wanted = min(wanted, limits.OPEN_FILES_MAX)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if wanted > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft  # some systems have a lower limit that they do not report
        return wanted
    return soft


def open_files() -> int:
    """The limit that holds."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits.OPEN_FILES_MAX if soft == resource.RLIM_INFINITY else soft


def capacity(share: DescriptorShare, files: int, wanted: int = 0, per_address: int = 0) -> Capacity:
    """What a listener may have open. wanted, per_address: settings, 0 for what fits.

    A setting never goes beyond the share, so that enough is kept back.
    """
    fits = max(limits.CONNECTIONS_MIN, files // share.value)
    together = min(wanted or limits.CONNECTIONS_MAX, fits)
    return Capacity(together, per_address or max(1, together // 2))
