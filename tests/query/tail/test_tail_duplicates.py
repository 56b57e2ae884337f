"""A tail over several indexers shows every batch once."""

from query.tail.tail_duplicates import LineFilter, RerouteDeduplicator, skipped_line


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


def test_a_client_is_told_how_many_events_were_left_out() -> None:
    assert skipped_line(b"#skipped 7\n") == b'{"skipped":7}\n'
    assert skipped_line(b"#skipped 0\n") == b'{"skipped":null}\n'  # some, which nobody counted
    assert skipped_line(b"#0 aa\n") is None
    assert skipped_line(b'{"data":{"a":"#skipped 7"}}\n') is None
