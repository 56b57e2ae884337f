"""How web servers write text into their access logs: Apache's and nginx's escapes."""

import re

_ESCAPES = re.compile(r"(?:\\x[0-9a-fA-F]{2})+|\\(.)", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "v": "\v", "f": "\f", "a": "\a"} | {
    '"': '"',
    "\\": "\\",
}


def unescape(text: str) -> str:
    r"""Text without escapes: \" \\ \t ... and \xHH, whose bytes are UTF-8; bytes that are not stay
    as the server wrote them, and so does what is no escape.
    """
    return _ESCAPES.sub(_decode, text) if "\\" in text else text


def field_text(text: str) -> str | None:
    """A field's text, None if it is absent (`-` or empty)."""
    return None if text in ("", "-") else unescape(text)


def _decode(match: re.Match[str]) -> str:
    if match[1] is not None:
        return _SHORT.get(match[1], match[0])
    written = match[0]
    raw = bytes.fromhex(written.replace("\\x", ""))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "".join(_pieces(raw, written))


def _pieces(raw: bytes, written: str) -> list[str]:
    """Characters where the bytes are UTF-8, the escape as it is written where they are not."""
    pieces: list[str] = []
    at = 0
    while at < len(raw):
        for size in (1, 2, 3, 4):
            try:
                pieces.append(raw[at : at + size].decode())
            except UnicodeDecodeError:
                continue
            at += size
            break
        else:
            pieces.append(written[4 * at : 4 * at + 4])  # \xHH: four characters each
            at += 1
    return pieces
