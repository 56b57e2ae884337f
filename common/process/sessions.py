"""Sessions of the page: an encrypted cookie that names the hash of a key, which any role reads.

The cookie holds no key and no right: rights are looked up at each request, so a revoked key ends
its sessions. It counts only for requests that the page itself makes: a browser tells so in `Sec-
Fetch-Site`, and where it does not, in a header that no other site can send without asking.
"""

import asyncio
import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from common import limits
from common.clock import Clock
from common.errors import UnknownKey
from common.metadata import Metadata

# What the names of all our cookies begin with. Browsers keep one set of cookies for all ports of a
# host, so the name also says which installation it is of.
COOKIE: Final = "bellwether-"
PAGE_HEADER: Final = "X-Bellwether-Page"
# All that a session is told by, for who passes a request of the page on.
SESSION_HEADERS: Final = ("Cookie", "Sec-Fetch-Site", PAGE_HEADER)
_SECRET: Final = "session"
_NONCE_BYTES: Final = 12
_SECOND_NS: Final = 10**9
_PURPOSE: Final = b"bellwether session 1"
_NAMED: Final = b"bellwether cookie 1"
_NAME_CHARS: Final = 8


class _Session(msgspec.Struct, frozen=True, array_like=True):
    """What a cookie says. expires_s: unix seconds."""

    key_hash: str
    expires_s: int


def login_name(code: str) -> str:
    """The name under which the metadata keeps a link that logs in once: not the code itself."""
    return f"login/{hashlib.sha256(code.encode()).hexdigest()}"


def is_own_request(headers: Mapping[str, str]) -> bool:
    """Whether the page made the request, and not another site that the browser shows."""
    site = headers.get("Sec-Fetch-Site")
    return site == "same-origin" if site is not None else headers.get(PAGE_HEADER) == "1"


class Sessions:
    """Makes and reads cookies. The key material is in the metadata, and the same for all roles."""

    def __init__(
        self,
        metadata: Metadata,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self._random_bytes = random_bytes
        self._secret: bytes | None = None
        self._read_ns = 0

    async def cookie_name(self) -> str:
        """The name of this installation's cookie. Raises MetadataUnavailable."""
        return COOKIE + hashlib.sha256(_NAMED + await self._load()).hexdigest()[:_NAME_CHARS]

    async def seal(self, key_hash: str) -> str:
        """The value of a cookie for a key. Raises MetadataUnavailable."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # not where nobody logs in

        secret = await self._load()
        expires_s = self._clock.now_ns() // _SECOND_NS + limits.SESSION_S
        nonce = self._random_bytes(_NONCE_BYTES)
        data = msgspec.msgpack.encode(_Session(key_hash, expires_s))
        sealed = nonce + AESGCM(secret).encrypt(nonce, data, _PURPOSE)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    async def key_hash(self, headers: Mapping[str, str]) -> str:
        """The hash of the key whose session a request of the page belongs to.

        Raises UnknownKey where there is none, MetadataUnavailable.
        """
        cookies = _cookies(headers)
        if not cookies or not is_own_request(headers):
            raise UnknownKey
        session = _first_open(cookies, await self._load())
        if session is None and self._may_have_changed():
            # the metadata was restored, and another role has made a new one
            session = _first_open(cookies, await self._read())
        if session is None or session.expires_s * _SECOND_NS <= self._clock.now_ns():
            raise UnknownKey
        return session.key_hash

    async def redeem(self, code: str) -> str:
        """The hash of the key that a link logs in with, once. Raises UnknownKey."""
        now_ns = self._clock.now_ns()
        taken = await asyncio.to_thread(self._metadata.take_secret, login_name(code), now_ns)
        if taken is None:
            raise UnknownKey
        return taken.decode()

    async def _load(self) -> bytes:
        return await self._read() if self._secret is None else self._secret

    async def _read(self) -> bytes:
        """Read it anew; while metadata fails, what was read before stays."""
        made = self._random_bytes(32)
        self._secret = await asyncio.to_thread(self._metadata.ensure_secret, _SECRET, made)
        self._read_ns = self._clock.monotonic_ns()
        return self._secret

    def _may_have_changed(self) -> bool:
        return self._clock.monotonic_ns() - self._read_ns >= limits.SESSION_SECRET_S * _SECOND_NS


def _cookies(headers: Mapping[str, str]) -> list[str]:
    """The values of our cookies, of this installation or another one on the same host. What other
    programs on the host set may have any form, such as JSON, so only `;` and `=` have a meaning.
    """
    text = headers.get("Cookie", "")
    if len(text) > limits.COOKIES_CHARS_MAX:
        return []
    pairs = (pair.strip().partition("=") for pair in text.split(";"))
    return [value for name, _, value in pairs if name.startswith(COOKIE)][: limits.SESSIONS_TRIED]


def _first_open(cookies: list[str], secret: bytes) -> _Session | None:
    return next((found for one in cookies if (found := _open(one, secret))), None)


def _open(cookie: str, secret: bytes) -> _Session | None:
    """What the cookie says; None if it is not one of ours."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        sealed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
        data = AESGCM(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE)
        return msgspec.msgpack.decode(data, type=_Session)
    except (binascii.Error, ValueError, InvalidTag, msgspec.DecodeError):
        return None
