"""The part of a span in which none of its children ran."""

from collections.abc import Iterable


def self_time(start_ns: int, end_ns: int, children: Iterable[tuple[int, int]]) -> int:
    """Nanoseconds of the span that no child covers.

    children: start and end in unix ns, in the order of their starts. Where several ran at once
    their time counts once, and what is outside of the span does not count.
    """
    covered, reached = 0, start_ns
    for begin, end in children:
        begin, end = max(begin, reached), min(end, end_ns)
        if end > begin:
            covered += end - begin
            reached = end
    return end_ns - start_ns - covered
