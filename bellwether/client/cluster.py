"""The address of a shepherd of the cluster that the settings name."""

import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bellwether.backends import make_locks
from bellwether.client.errors import ClientError
from bellwether.config.sections import BackendsConfig, LocksKind
from bellwether.config.settings import SettingsError, load
from common.clock import SystemClock
from common.errors import Unavailable
from common.process.members import list_members

_CONNECT_S = 5.0


def cluster_url(environ: Mapping[str, str], folder: Path) -> str | None:
    """The public address of a shepherd that takes connections, as the cluster's locks hold it; None
    if the settings name no cluster. Raises ClientError if they do and none is found.
    """
    try:
        settings = load({}, environ, folder)
    except SettingsError as error:
        raise ClientError(f"{error}; or give the address with --url or BELLWETHER_URL") from error
    if settings.section(BackendsConfig).locks is LocksKind.FILES:
        return None
    locks = make_locks(settings, SystemClock())
    try:
        members = list_members(locks, "shepherd")
    except Unavailable as error:
        raise ClientError(f"{error}; give a shepherd's address with --url") from error
    finally:
        locks.close()
    for member in members:
        if member.public_url and _takes_connections(member.public_url):
            return member.public_url
    raise ClientError("no shepherd of the cluster can be reached; give an address with --url")


def _takes_connections(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), _CONNECT_S):
            return True
    except OSError:
        return False
