"""Strings end where the tokenizer says, are valid when it says so, and have the text it gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.kernels.compile import FAIL, SENTINEL_BYTES
from common.scan.json_tokens import BadValue, JsonSyntaxError, string_value, tokens
from common.scan.kernel.strings import scan_string, unescape

PADDING = bytes(SENTINEL_BYTES)
HARD = [
    b"", b"a", rb"\"", rb"\\", rb"\\\"", rb"\/\b\f\n\r\t", rb"\u0041\u00e9\u20ac\u0000",
    rb"\ud83d\ude00", rb"\ud83d", rb"\ude00", rb"\ud83d\u0041", rb"\ud83d\ud83d\ude00",
    rb"\ud83d\n", rb"\uD83D\uDE00x", rb"\u12", rb"\u12g4", rb"\x", rb"\U0041", b"\\", b"\t", b"\n",
    b"\x00", b"\x1f", b"\x7f", "é€😀".encode(), b"\xff", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80",
    b"\xe0\xa0\x80", b"\xed\xa0\x80", b"\xed\x9f\xbf", b"\xef\xbf\xbf", b"\xf0\x80\x80\x80",
    b"\xf0\x90\x80\x80", b"\xf4\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xc3",
    b"\xe2\x82", b"\xf0\x9f\x98", b"\x80", b"\xbf",
]  # fmt: skip


def scanned(body: bytes, before: int = 0) -> str | None:
    """The text of the string with this body, after `before` other bytes; None if not proved."""
    raw = b"x" * before + b'"' + body + b'"'
    buffer = np.frombuffer(raw + b"\n" + PADDING, np.uint8)
    found = scan_string(buffer, before + 1)
    if found == FAIL or found >> 1 != len(raw) - 1:
        return None
    target = np.zeros(len(raw) + 64, np.uint8)
    size = unescape(buffer, before + 1, found >> 1, target, 0)
    assert size <= len(body)
    text = target[:size].tobytes()
    if not found & 1:
        assert text == body
    return text.decode()


def expected(body: bytes) -> str | None:
    source = b'"' + body + b'"'
    try:
        (token,) = tokens(source, depth_max=1)
        return string_value(source, token.start, token.end) if token.end == len(source) else None
    except (JsonSyntaxError, BadValue):
        return None


@pytest.mark.parametrize("body", HARD, ids=repr)
def test_hard_strings_at_every_alignment(body: bytes) -> None:
    for before in range(35):
        for filled in (b"", b"y" * before):
            assert scanned(filled + body, before) == expected(filled + body)
            assert scanned(body + filled, before) == expected(body + filled)


def test_every_pair_of_bytes_is_judged_as_the_tokenizer_does() -> None:
    for first in range(256):
        for second in range(0, 256, 1 if first >= 0xC0 or first == 0x5C else 16):
            for body in (
                bytes((first, second)),
                bytes((first, second, 0x80)),
                bytes((0xF0, first, second, 0x80)),
            ):
                assert scanned(body) == expected(body), body


def test_every_code_point_written_as_an_escape() -> None:
    for code in [*range(0x800), *range(0x800, 0x10000, 61), *range(0xD7F0, 0xE010)]:
        body = b"\\u%04x" % code
        assert scanned(body) == expected(body), body


@given(
    st.lists(st.sampled_from(HARD) | st.binary(max_size=3) | st.text(max_size=40).map(str.encode))
)
def test_any_string(parts: list[bytes]) -> None:
    body = b"".join(parts)
    assert scanned(body) == expected(body)
