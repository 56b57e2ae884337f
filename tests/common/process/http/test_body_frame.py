"""Where bodies end, however they are cut; chunks are written anew and mean the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from common.process.http.body_frame import BodyFrame, Chunked, FixedLength
from common.process.http.refusal import Refusal

BEHIND = b"GET / HTTP/1.1\r\n"


def feed(frame: BodyFrame, data: bytes, cuts: list[int]) -> tuple[bytes, bytes]:
    """What is passed on, and what comes after, of data that arrives in pieces."""
    passed = rest = b""
    at = 0
    for end in [*sorted(cuts), len(data)]:
        if frame.done:
            break
        piece, rest = frame.take(data[at:end])
        passed += piece
        at = end
    return passed, rest + data[at:]


def plain(written: bytes) -> bytes:
    """The body of chunks as the frame writes them: nothing but sizes and data."""
    body = b""
    while written != b"0\r\n\r\n":
        size, _, written = written.partition(b"\r\n")
        body += written[: int(size, 16)]
        assert written[int(size, 16) :][:2] == b"\r\n"
        written = written[int(size, 16) + 2 :]
    return body


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    st.sampled_from([b"", b";a", b' ; a="b"']),
    st.sampled_from([b"", b"X-Sum: 1\r\n", b"A: b\r\nC: d\r\n"]),
    st.lists(st.integers(0, 500), max_size=6),
)
def test_chunks_cut_anywhere_are_the_same_body(
    parts: list[bytes], extension: bytes, trailer: bytes, cuts: list[int]
) -> None:
    chunks = b"".join(b"%X%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)
    data = chunks + b"0\r\n" + trailer + b"\r\n" + BEHIND
    frame = Chunked()
    written, rest = feed(frame, data, [min(cut, len(data)) for cut in cuts])
    assert (plain(written), rest, frame.done) == (b"".join(parts), BEHIND, True)


@given(st.binary(max_size=60), st.lists(st.integers(0, 80), max_size=5))
def test_body_of_a_known_length_ends_there(body: bytes, cuts: list[int]) -> None:
    frame = FixedLength(len(body))
    data = body + BEHIND
    if frame.done:
        assert not body
        return
    assert feed(frame, data, [min(cut, len(data)) for cut in cuts]) == (body, BEHIND)


@pytest.mark.parametrize(
    "data",
    [
        b"g\r\n", b"-1\r\n", b"+1\r\n", b"0x1\r\n", b"1 1\r\n", b"\r\n", b";a\r\n", b"1\n",
        b"1\r\nab\r\n", b"1\r\nab", b"1\r\na\n", b"123456789\r\n", b"1;" + b"a" * 300, b"1\0\r\n",
        b"1\rx\r\n", b"\xb2\r\n", b"_1\r\n", b"0\r\n" + b"A: b\r\n" * 2_000,
        b"0\r\n" + b"a" * 9_000, b"0\r\na\n",
    ],
)  # fmt: skip
def test_chunks_that_two_readers_could_read_differently_are_refused(data: bytes) -> None:
    with pytest.raises(Refusal):
        feed(Chunked(), data, [])
    with pytest.raises(Refusal):
        feed(Chunked(), data, list(range(len(data))))


def test_flood_of_tiny_chunks_is_refused_and_small_ones_pass() -> None:
    with pytest.raises(Refusal, match="small chunks"):
        feed(Chunked(), b"1\r\na\r\n" * (limits.CHUNKS_MAX + 1_000), [])
    sixteen = b"10\r\n0123456789abcdef\r\n" * 20_000
    frame = Chunked()
    assert len(plain(feed(frame, sixteen + b"0\r\n\r\n", [])[0])) == 320_000
