"""The first smallest and the first largest text are those that sorting bytes gives."""

from hypothesis import given
from hypothesis import strategies as st

from segment.parquet.kernel.text_min_max import range_of_texts
from tests.segment.parquet.kernel.oracle import arrow

STEM = b"0123456789abcdef" * 5
TEXTS = st.one_of(
    st.integers(0, 80).map(lambda size: STEM[:size]),
    st.binary(max_size=3),
    st.binary(min_size=1, max_size=2).map(lambda end: STEM[:7] + end),
    st.binary(min_size=1, max_size=2).map(lambda end: STEM[:40] + end),
    st.integers(0, 9).map(bytes),
)


@given(st.lists(TEXTS, min_size=1, max_size=30), st.integers(0, 40))
def test_any_texts(texts: list[bytes], before: int) -> None:
    found = range_of_texts(*arrow(texts, before))
    assert found == (texts.index(min(texts)), texts.index(max(texts)))


def test_ends_of_bytes_are_in_order() -> None:
    for size in (0, 1, 7, 8, 9, 31, 32, 33):
        texts = [b"k" * size + end for end in (b"\x7f", b"\x80", b"", b"\x00", b"\xff", b"\x00")]
        assert range_of_texts(*arrow(texts)) == (2, 4)
