"""How client commands reach a Bellwether: address, key, and errors that say what to do."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import orjson

from bellwether.backends import make_locks
from bellwether.config import BackendsConfig, LocksKind
from bellwether.secrets import key_file, read_key
from bellwether.settings import SettingsError, load
from common.auth import KEY_HEADER
from common.clock import SystemClock
from common.error_text import describe_error
from common.errors import Unavailable
from common.locks.files import FileLocks
from common.members import Member, list_members
from common.version import VERSION

_CONNECT_S = 5.0
DEFAULT_URL = "http://127.0.0.1:8080"


class ClientError(Exception):
    """The request cannot be made or was refused; the text says why and what to do."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Target:
    """Where to ask, as whom. `insecure`: accept any certificate."""

    url: str
    key: str = field(repr=False)
    insecure: bool = False


def find_target(
    url: str | None, key: str | None, data: Path, environ: Mapping[str, str], insecure: bool
) -> Target:
    """Address and key: flags, then BELLWETHER_URL and BELLWETHER_KEY, then this machine's own
    data folder (its running `up` and its key file), then a shepherd of the cluster that the
    settings name. Raises ClientError.
    """
    found_url = (
        url
        or environ.get("BELLWETHER_URL")
        or running_url(data)
        or cluster_url(environ, Path.cwd())
    ) or DEFAULT_URL
    found_key = key or environ.get("BELLWETHER_KEY")
    if not found_key:
        try:
            found_key = read_key(data)
        except OSError as error:
            raise ClientError(f"cannot read {key_file(data)}: {error.strerror}") from error
    if not found_key:
        raise ClientError(
            f"no key: set BELLWETHER_KEY or --key (there is no {key_file(data)} here)"
        )
    return Target(found_url.rstrip("/"), found_key, insecure)


def cluster_url(environ: Mapping[str, str], folder: Path) -> str | None:
    """The public address of a shepherd that takes connections, as the cluster's locks tell; None
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


def running_url(data: Path) -> str | None:
    """The address of the `up` that runs on this data folder, if one does."""
    holder = running_up(data)
    return holder.url or None if holder is not None else None


def running_up(data: Path) -> Member | None:
    """The `up` that holds the data folder, if one does."""
    if not (data / "locks").is_dir():
        return None
    try:
        locks = FileLocks(data / "locks")
        value = locks.holders("up").get("up")
        locks.close()
    except (OSError, Unavailable):
        return None  # not ours to read: the address has to be given
    return None if value is None else msgspec.json.decode(value, type=Member)


class Client:
    """Requests with a key. Use it as `async with connect(target) as client`."""

    def __init__(self, target: Target, session: aiohttp.ClientSession) -> None:
        self.target = target
        self.session = session

    async def json(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Ask and read the JSON answer. Raises ClientError for anything but a 2xx."""
        data = None if body is None else orjson.dumps(body)
        async with self.open(method, path, data, headers) as answer:
            raw = await answer.read()
        try:
            return orjson.loads(raw) if raw else None
        except orjson.JSONDecodeError as error:
            raise ClientError(f"{self.target.url}{path} gave an answer that is no JSON") from error

    @asynccontextmanager
    async def open(
        self, method: str, path: str, data: bytes | None = None, headers: Mapping[str, str] = {}
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask and hand over a 2xx answer to be read. Raises ClientError."""
        sent = {"Content-Type": "application/json", **headers} if data is not None else headers
        try:
            async with self.session.request(
                method, self.target.url + path, data=data, headers=sent
            ) as answer:
                if answer.status >= 300:
                    raise ClientError(await refusal(answer), answer.status)
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClientError(self.unreachable(error)) from error

    def unreachable(self, error: Exception) -> str:
        """What to tell when no answer came."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return (
                f"{self.target.url} shows a certificate that is not trusted here: "
                f"{error.certificate_error}. Name its authority's PEM file in SSL_CERT_FILE, "
                "or accept any certificate with --insecure."
            )
        reason = describe_error(error)
        return (
            f"cannot reach {self.target.url}: {reason}. Is `bellwether up` running? "
            "Give another address with --url or BELLWETHER_URL."
        )


async def refusal(answer: aiohttp.ClientResponse) -> str:
    """The reason in an answer that is no success."""
    raw = await answer.read()
    try:
        body = orjson.loads(raw)
        text = str(body["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        text = raw[:200].decode("utf-8", "replace") or answer.reason or ""
    return f"{answer.status}: {text}"


@asynccontextmanager
async def connect(target: Target, total_s: float | None = 120.0) -> AsyncIterator[Client]:
    """A client with its connections."""
    timeout = aiohttp.ClientTimeout(total=total_s, connect=_CONNECT_S)
    headers = {KEY_HEADER: target.key, "User-Agent": f"bellwether/{VERSION}"}
    connector = aiohttp.TCPConnector(ssl=not target.insecure, limit=16)
    async with aiohttp.ClientSession(
        timeout=timeout, headers=headers, connector=connector
    ) as session:
        yield Client(target, session)
