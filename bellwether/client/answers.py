"""Decoding of responses and texts of errors: shared by `caller` and `session`."""

from typing import Any

import orjson

from bellwether.client.errors import ClientError

CONNECT_S = 5.0
KEY_HEADER = "X-Honeycomb-Team"  # as common.process.auth has it, without what a server imports


def decode_body(raw: bytes, where: str) -> Any:
    """The JSON of a response's body, None if it is empty. Raises ClientError."""
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError as error:
        raise ClientError(f"{where} gave an answer that is no JSON") from error


def encode_body(body: object) -> bytes:
    """JSON to send. Raises ClientError for text that was no UTF-8 when it was typed."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise ClientError(f"this cannot be asked: {error}") from error


def refusal_text(status: int, raw: bytes, reason: str | None, location: str | None = None) -> str:
    """The reason in a response that is no success. location: the target of a redirect, which is not
    followed: the key belongs to the address that was given.
    """
    if 300 <= status < 400 and location:
        return f"{status}: this address leads to {location[:200]!r}: give that server's address"
    try:
        body = orjson.loads(raw)
        text = str(body.get("detail") or body["error"])  # `error` may be the vendor's title alone
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        text = raw[:200].decode("utf-8", "replace") or reason or ""
    return f"{status}: {text}"


def distrusted(url: str, why: object) -> str:
    """The error text for a certificate that is not trusted."""
    return (
        f"{url} shows a certificate that is not trusted here: {why}. Name its authority's PEM "
        "file in SSL_CERT_FILE, or accept any certificate with --insecure."
    )


def unreachable(url: str, reason: str) -> str:
    """The error text when no response came."""
    return (
        f"cannot reach {url}: {reason}. Is `bellwether up` running? "
        "Give another address with --url or BELLWETHER_URL."
    )
