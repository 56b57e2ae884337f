"""Named servers with their keys: one file that only the user may read.

`$XDG_CONFIG_HOME/bellwether/servers.json`, mode 0600 in a folder of mode 0700. It is replaced whole
or not at all, under a lock, so that two logins at once keep both servers.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from bellwether.client.errors import ClientError
from bellwether.config.secrets import write_private

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE_BYTES_MAX = 4 * 1024 * 1024  # thousands of servers; a wrong file shall not be read whole
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Server:
    """One server. team, environment: those of its key, as the server named them at login."""

    name: str
    url: str
    key: str = field(repr=False)
    insecure: bool = False
    team: str = ""
    environment: str = ""


@dataclass(frozen=True, slots=True)
class Servers:
    """All servers by name; `default` is used where no other is named."""

    by_name: Mapping[str, Server]
    default: str = ""
    warning: str = ""  # what was found wrong with the file and mended

    def find(self, name: str) -> Server:
        """Raises ClientError, with the nearest names."""
        if name in self.by_name:
            return self.by_name[name]
        import difflib

        near = difflib.get_close_matches(name, self.by_name, n=3) or sorted(self.by_name)[:10]
        there = f"did you mean {', '.join(near)}?" if near else "there is none yet."
        raise ClientError(
            f"no server is called {name!r}: {there} `bellwether login NAME URL` keeps one"
        )

    def find_url(self, url: str) -> Server | None:
        """The server of this address, the default one first."""
        names = sorted(self.by_name, key=lambda name: (name != self.default, name))
        return next((self.by_name[name] for name in names if self.by_name[name].url == url), None)


def servers_file(environ: Mapping[str, str]) -> Path:
    """Where the servers are kept, by the XDG rules (which take no relative folder)."""
    base = environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base.startswith("/") else Path(environ.get("HOME") or "~") / ".config"
    return folder.expanduser() / "bellwether" / "servers.json"


def read_servers(environ: Mapping[str, str]) -> Servers:
    """The servers of the file. Raises ClientError if it cannot be used."""
    path = servers_file(environ)
    try:
        with open(path, "rb") as file:
            warning = _make_private(path, file.fileno())
            raw = file.read(_FILE_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError):
        return Servers({})
    except OSError as error:
        raise ClientError(f"cannot read {path}: {error.strerror}") from error
    try:
        document = orjson.loads(raw)
        known = {name: _server(name, one) for name, one in document["servers"].items()}
        default = str(document.get("default") or "")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ClientError(f"{path} is damaged: mend it, or remove it and log in again") from error
    return Servers(known, default if default in known else "", warning)


def keep_server(environ: Mapping[str, str], server: Server, *, as_default: bool | None) -> bool:
    """Add or replace a server; returns whether it is the default one now. `as_default`: None
    makes it so only if there is no other. Raises ClientError.
    """
    with _changing(environ) as path:
        found = read_servers(environ)
        default = found.default
        if as_default or (as_default is None and not default):
            default = server.name
        elif as_default is False and default == server.name:
            default = ""
        _write(path, Servers({**found.by_name, server.name: server}, default))
    return default == server.name


def forget_server(environ: Mapping[str, str], name: str) -> Server:
    """Remove a server and its key. Raises ClientError if there is none."""
    with _changing(environ) as path:
        found = read_servers(environ)
        server = found.find(name)
        left = {key: one for key, one in found.by_name.items() if key != name}
        _write(path, Servers(left, "" if found.default == name else found.default))
    return server


def set_default(environ: Mapping[str, str], name: str) -> None:
    """Make this server the default one. Raises ClientError if there is none of the name."""
    with _changing(environ) as path:
        found = read_servers(environ)
        _write(path, replace(found, default=found.find(name).name))


def _server(name: str, kept: dict[str, Any]) -> Server:
    texts = {part: str(kept.get(part) or "") for part in ("team", "environment")}
    url, key = kept["url"], kept["key"]
    if not (isinstance(url, str) and isinstance(key, str)):
        raise TypeError("url and key are texts")
    return Server(name, url, key, kept.get("insecure") is True, **texts)


def _make_private(path: Path, handle: int) -> str:
    """Remove other users' rights to the file; returns a warning if they had any."""
    status = os.fstat(handle)
    if status.st_uid not in (os.geteuid(), 0):
        raise ClientError(f"{path} belongs to another user: it is not read")
    if not status.st_mode & _OTHERS:
        return ""
    os.fchmod(handle, 0o600)
    return (
        f"{path} could be read by others (mode {stat.S_IMODE(status.st_mode):o}): now it cannot. "
        "Keys that stood in it may be known: consider new ones."
    )


@contextmanager
def _changing(environ: Mapping[str, str]) -> Iterator[Path]:
    path = servers_file(environ)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield path
        finally:
            os.close(handle)
    except OSError as error:
        raise ClientError(f"cannot write {path}: {error.strerror}") from error


def _write(path: Path, servers: Servers) -> None:
    kept = {
        one.name: {
            "url": one.url, "key": one.key, "insecure": one.insecure, "team": one.team,
            "environment": one.environment,
        }
        for one in servers.by_name.values()
    }  # fmt: skip
    document = {"default": servers.default, "servers": kept}
    write_private(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))
