"""The C library's search finds what Python's finds, in any bytes."""

import ctypes
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shepherd.ingest.search import make_search

MARK = b'"exception.stacktrace"'
_BEGINS = [MARK[:n] for n in range(len(MARK))]
_ENDS = [MARK[n:] for n in range(1, len(MARK))]
_PIECES = st.sampled_from([MARK, *_BEGINS, *_ENDS, b"\0", b"\xff"])
holds = make_search(MARK)
holds_by_python = make_search(MARK, SimpleNamespace())


@given(st.lists(_PIECES, max_size=12).map(b"".join))
def test_what_begins_like_the_text_or_holds_zero_bytes_is_told_from_it(text: bytes) -> None:
    assert holds(text) is holds_by_python(text) is (MARK in text)


@pytest.mark.parametrize("size", [0, 1, 21, 22, 23, 65_536, 5_000_000])
def test_the_text_is_found_at_either_end_and_not_beyond(size: int) -> None:
    around = b"x" * size
    assert holds(around + MARK)
    assert holds(MARK + around)
    assert not holds(around + MARK[:-1])
    assert not holds(MARK[1:] + around)


def test_the_library_of_this_machine_has_the_search() -> None:
    assert hasattr(ctypes.PyDLL(None), "memmem")
