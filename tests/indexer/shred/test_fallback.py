"""What the kernel leaves to the reference: line by line, or all the rest once it is too much."""

import pytest

from indexer.shred.compiled.shredder import KernelShredder
from indexer.shred.kernel.memory import FALLBACK_SHARE, FALLBACKS_FEW, FALLBACKS_MAX
from tests.indexer.shred.conftest import SEEDS
from tests.indexer.shred.same import assert_same, line, record

GOOD = line(b'{"a":1,"b":"x","c":1.5}')
BAD = line(b'{"a":01}')
# Valid, but 19 digits do not say which of two doubles is the nearest one.
DOUBTFUL = line(b'{"a":1.00000000000000011102230246251565,"b":"y","z":true}')


def fallbacks(lines: list[list[bytes]]) -> int:
    """Shreds records of these lines, compares, and returns how many the reference read."""
    found: list[int] = []
    shredder = KernelShredder(SEEDS, on_fallback=found.append)
    assert_same(shredder, [record(b"".join(some), 0, at) for at, some in enumerate(lines)])
    assert shredder.intact()
    return sum(found)


def test_single_doubtful_lines_are_handed_over_alone() -> None:
    assert fallbacks([[*[GOOD] * FALLBACK_SHARE, DOUBTFUL] * 100]) == 100
    assert fallbacks([[GOOD, DOUBTFUL]] * (FALLBACKS_FEW // 2)) == FALLBACKS_FEW // 2


@pytest.mark.parametrize("per_record", [1, 7, FALLBACKS_FEW, 1000])
def test_a_call_of_doubtful_lines_is_left_to_the_reference(per_record: int) -> None:
    lines = [DOUBTFUL] * 1000
    records = [lines[at : at + per_record] for at in range(0, len(lines), per_record)]
    assert 1000 <= fallbacks(records) < 1000 + FALLBACKS_FEW  # some were read before that was known


def test_the_rest_begins_in_the_middle_of_a_record() -> None:
    begins = [GOOD] * 5 + [DOUBTFUL] * 40
    assert fallbacks([begins, [GOOD] * 10, begins]) > 40
    assert fallbacks([[GOOD] * 3, [*begins, BAD, GOOD], [GOOD] * 4, [BAD], [DOUBTFUL, GOOD]]) >= 9
    later = [*[GOOD] * 100, *[DOUBTFUL] * 40, GOOD]  # behind so many rows that they stay
    assert 41 <= fallbacks([[GOOD] * 3, later]) < 41 + FALLBACKS_FEW
    fallbacks([[GOOD] * 3, [*later, BAD], [GOOD] * 4])
    assert fallbacks([[*begins, *[GOOD] * 50, *begins], [GOOD]]) > 40


def test_bad_records_end_it_too() -> None:
    fallbacks([[GOOD, BAD, *[GOOD] * 20]] * 200)
    fallbacks([[BAD] * 50] * 20)
    fallbacks([[*[GOOD] * 300, BAD, *[GOOD] * 300], [GOOD]] * 5)
    fallbacks([[DOUBTFUL] * FALLBACKS_FEW + [BAD], *([GOOD] * 2 for _ in range(5))])


def test_more_lines_than_a_pass_hands_over() -> None:
    lines = [*[GOOD] * (FALLBACK_SHARE + 1), DOUBTFUL] * (FALLBACKS_MAX + 20)
    assert fallbacks([lines]) == FALLBACKS_MAX + 20


def test_few_long_lines_count_by_their_bytes() -> None:
    long = line(b'{"a":1.00000000000000011102230246251565,"b":"%b"}' % (b"x" * 5000))
    records = [[*[GOOD] * 20, long]] * (FALLBACKS_FEW + 20)
    assert fallbacks(records) > FALLBACKS_FEW + 20


def test_of_a_bad_record_nothing_is_handed_over_but_its_first_bad_line() -> None:
    bad = [*[GOOD] * 9, BAD, *[DOUBTFUL] * 3, BAD, GOOD]
    good = [GOOD] * 100
    assert fallbacks([good, bad, good, [BAD], good, bad, [*good, DOUBTFUL, DOUBTFUL]]) == 5
