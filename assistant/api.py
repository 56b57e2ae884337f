"""Requests to the query API on behalf of an agent; refusals become texts that a model can act on.

The key is the caller's own, or the one that the server was started with. It is sent to the address
that was given and nowhere else, and appears in no text.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import msgspec
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from common import limits
from common.error_text import describe_error
from common.version import VERSION

KEY_HEADER: Final = "X-Honeycomb-Team"
_KEY_CHARS_MAX: Final = limits.KEY_CHARS_MAX
_ERROR_CHARS_MAX: Final = 2_000  # of a refusal's text
_TIMEOUT: Final = aiohttp.ClientTimeout(total=limits.AGENT_WAIT_S + 30, connect=5.0)
Calling = Context[Any, Any]  # what the protocol library hands to a tool


class Refused(ToolError):
    """The API refused a request. status: of its answer; 0 if there was none."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """The query API of one address. Use it as `async with Api(url, key) as api`.

    key: for callers that bring none; None: each has to bring its own.
    """

    def __init__(self, url: str, key: str | None, *, insecure: bool = False) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._insecure = insecure
        self._http: aiohttp.ClientSession | None = None
        self.running = 0  # requests

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            timeout=_TIMEOUT,
            connector=aiohttp.TCPConnector(ssl=not self._insecure, limit=limits.AGENT_CALLS_MAX),
            headers={"User-Agent": f"bellwether-mcp/{VERSION}"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def get(self, calling: Calling, path: str, given: Mapping[str, str] = {}) -> Any:
        """The JSON that a GET answers. Raises Refused."""
        return await self._ask(calling, "GET", path, None, given)

    async def post(self, calling: Calling, path: str, body: Mapping[str, object]) -> Any:
        """The JSON that a POST answers. Raises Refused."""
        return await self._ask(calling, "POST", path, msgspec.json.encode(body), {})

    async def _ask(
        self,
        calling: Calling,
        method: str,
        path: str,
        body: bytes | None,
        given: Mapping[str, str],
    ) -> Any:
        assert self._http is not None, "used outside of `async with`"
        if self.running >= limits.AGENT_CALLS_MAX:
            raise Refused(f"{self.running} calls run already: wait for one, then ask again", 429)
        headers = {KEY_HEADER: self._key_of(calling.headers)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.running += 1
        try:
            async with self._http.request(
                method, self.url + path, data=body, params=given, headers=headers,
                allow_redirects=False,  # a redirect must not take the key elsewhere
            ) as answer:  # fmt: skip
                raw = await _read(answer)
                if answer.status >= 300:
                    raise Refused(_refusal(answer, raw), answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else describe_error(error)
            raise Refused(f"Bellwether at {self.url} does not answer: {why}") from error
        finally:
            self.running -= 1
        try:
            return msgspec.json.decode(raw) if raw else None
        except msgspec.DecodeError as error:
            raise Refused(f"{self.url}{path} gave an answer that is no JSON") from error

    def _key_of(self, headers: Mapping[str, str] | None) -> str:
        """The key of a call: its own header's, or the server's."""
        key = self._key
        if headers is not None:
            kind, _, credentials = headers.get("Authorization", "").partition(" ")
            if KEY_HEADER in headers:
                key = headers[KEY_HEADER]  # also if it is empty: then none was meant to be sent
            elif kind.lower() == "bearer":
                key = credentials.strip()
        if not key:
            raise Refused(
                f"this server needs a key: send it in the header {KEY_HEADER} or as "
                "Authorization: Bearer KEY",
                401,
            )
        if len(key) > _KEY_CHARS_MAX or not (key.isascii() and key.isprintable()):
            raise Refused("the key of the header is none", 401)
        return key


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body, within its limit. Raises Refused."""
    parts: list[bytes] = []
    room = limits.AGENT_REPLY_BYTES_MAX
    async for part in answer.content.iter_any():
        room -= len(part)
        if room < 0:
            raise Refused("the answer is too large: ask for fewer groups, fields or rows")
        parts.append(part)
    return b"".join(parts)


def _refusal(answer: aiohttp.ClientResponse, raw: bytes) -> str:
    """What the model reads: every fault with its member, and when to ask again."""
    try:
        body = msgspec.json.decode(raw)
        text = str(body.get("detail") or body["error"])
        faults = [
            f"{fault['field']}: {fault['description']}" if fault.get("field") else
            str(fault["description"])
            for fault in body.get("type_detail") or ()
        ]  # fmt: skip
        text = "\n".join(faults) or text
    except (msgspec.DecodeError, AttributeError, KeyError, TypeError):
        text = raw[:200].decode("utf-8", "replace") or str(answer.reason)
    if answer.status == 401:
        text = f"{text} (the key is not known to {answer.url.origin()})"
    if wait := answer.headers.get("Retry-After"):
        text = f"{text}; ask again in {wait[:30]} s"
    return text[:_ERROR_CHARS_MAX]
