"""The address and key that a client command uses.

A key is only ever sent to the address that it came with: a named server's to that server, this
machine's to the address that the user gave or that runs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bellwether.client.errors import ClientError
from bellwether.config.secrets import key_file, read_key

if TYPE_CHECKING:
    from bellwether.client.servers import Server
    from common.process.members import Member

DEFAULT_URL = "http://127.0.0.1:8080"
_DEFAULT_FILE = "bellwether.toml"


@dataclass(frozen=True, slots=True)
class Target:
    """An address and its key.

    insecure: accept any certificate.
    warning: a text to print for the user.
    """

    url: str
    key: str = field(repr=False)
    insecure: bool = False
    warning: str = ""


def find_target(
    url: str | None,
    key: str | None,
    data: Path,
    environ: Mapping[str, str],
    insecure: bool,
    server: str | None = None,
) -> Target:
    """Address and key. The first of these that is there names the address: `--url`, `--server`,
    BELLWETHER_URL, BELLWETHER_SERVER, the `up` that runs on the data folder, a shepherd of the
    cluster that the settings name, the default one of the named servers (unless a key is given or
    in the data folder, which is not for it), DEFAULT_URL. A named server brings its own key; else
    it is `--key`, BELLWETHER_KEY, that of a named server of the same address, or the data
    folder's. Raises ClientError.
    """
    from bellwether.client.servers import read_servers

    if url and server:
        raise ClientError("--url and --server name two servers: give one of them")
    given = "" if server else (url or environ.get("BELLWETHER_URL") or "")
    if name := server or ("" if given else environ.get("BELLWETHER_SERVER")):
        servers = read_servers(environ)
        return _named(servers.find(name), key, insecure, servers.warning)
    here = "" if given else running_url(data) or ""
    named = given or here or _cluster_url(environ, Path.cwd())
    found_url = usable_url(named or DEFAULT_URL)
    found_key = key or environ.get("BELLWETHER_KEY") or (_key_in(data) if here else None)
    if not found_key:
        servers = read_servers(environ)
        local = None if given else _key_in(data)
        known = servers.find_url(found_url) or (
            None if named else servers.by_name.get(servers.default)
        )
        if known is not None and not local:
            return _named(known, None, insecure, servers.warning)
        found_key = local or _key_in(data)
    if not found_key:
        raise ClientError(
            "no key: set BELLWETHER_KEY, or keep server and key with `bellwether login NAME URL` "
            f"(there is no {key_file(data)} here)"
        )
    return Target(found_url, usable_key(found_key), insecure)


def _key_in(data: Path) -> str | None:
    try:
        return read_key(data)
    except OSError as error:
        raise ClientError(f"cannot read {key_file(data)}: {error.strerror or error}") from error


def _named(server: Server, key: str | None, insecure: bool, warning: str) -> Target:
    """A named server with its own key: one that stands in the environment is for another."""
    url, key = usable_url(server.url), usable_key(key or server.key)
    return Target(url, key, insecure or server.insecure, warning)


def usable_url(text: str) -> str:
    """The address without a slash at its end. Raises ClientError if it is none."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(c <= " " for c in text):
        raise ClientError(f"{text!r} is no address: write it as https://HOST or http://HOST:PORT")
    if parts.username or parts.query or parts.fragment:
        raise ClientError("an address holds no user, '?' or '#': write it as http://HOST:PORT")
    return text.rstrip("/")


def usable_key(text: str) -> str:
    """The key. Raises ClientError if no header can hold it."""
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ClientError("the key is none: keys are visible ASCII characters without blanks")
    return text


def _cluster_url(environ: Mapping[str, str], folder: Path) -> str | None:
    """Where the cluster that the settings name is reached; None if they name none."""
    named = environ.get("BELLWETHER_BACKENDS_LOCKS")
    if not (named or environ.get("BELLWETHER_CONFIG") or (folder / _DEFAULT_FILE).exists()):
        return None  # the settings' own rules are slow to import, and give no other answer then
    from bellwether.client.cluster import cluster_url

    return cluster_url(environ, folder)


def running_url(data: Path) -> str | None:
    """The address of the `up` that runs on this data folder, if one does."""
    holder = running_up(data)
    return holder.url or None if holder is not None else None


def running_up(data: Path) -> Member | None:
    """The `up` that holds the data folder, if one does."""
    if not (data / "locks").is_dir():
        return None
    import msgspec

    from common.errors import Unavailable
    from common.locks.files import FileLocks
    from common.process.members import Member

    try:
        locks = FileLocks(data / "locks")
        value = locks.holders("up").get("up")
        locks.close()
    except (OSError, Unavailable):
        return None  # no right to read it: the address has to be given
    return None if value is None else msgspec.json.decode(value, type=Member)
