"""A tail over several indexers shows every batch once."""

from query.tail.tail_duplicates import LineFilter, RerouteDeduplicator


def take(line_filter: LineFilter, *lines: bytes) -> list[bytes]:
    return [line for line in lines if line_filter.passes(line)]


def test_copy_of_a_batch_in_another_partition_is_not_shown_again() -> None:
    copies = RerouteDeduplicator()
    one, other = LineFilter(copies), LineFilter(copies)
    assert take(one, b"#0 aa\n", b"1\n", b"2\n") == [b"1\n", b"2\n"]
    assert take(other, b"#1 aa\n", b"1\n", b"2\n", b"#1 bb\n", b"3\n") == [b"3\n"]
    assert take(one, b"#2 bb\n", b"3\n", b"#0 aa\n", b"4\n") == [b"4\n"]  # the batch goes on


def test_batches_that_are_remembered_are_bounded() -> None:
    shown = LineFilter(RerouteDeduplicator(batches_max=2))
    assert take(shown, b"#0 aa\n", b"1\n", b"#0 bb\n", b"2\n", b"#0 cc\n", b"3\n") == [
        b"1\n",
        b"2\n",
        b"3\n",
    ]
    assert take(shown, b"#1 aa\n", b"1\n", b"#1 cc\n", b"3\n") == [b"1\n"]
