"""Regular expressions that would take long to compile are refused before they are compiled."""

import pytest

from common import limits
from query.faults import SpecError
from query.patterns import pattern_size
from query.plan.read.filters import read_filters


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        ("", 0),
        ("api/v[0-9]+", 6),
        (r"^(?i)time\.?out$", 8),
        ("a{3}", 3),
        ("a{2,30}b{5,}", 35),
        (r"(?:\w{30}){30}", 30 * 31),  # the colon counts, too
        (r"(a(b(c{10}){10}){10})", 1 + 10 * (1 + 10 * 10)),
        (r"\pL\P{Greek}", 208),
        (r"[^\pL\pN]{3}", 603),
        (r"[]{9}]{2}", 2),
        (r"[[:alpha:]\]{9}]{4}", 4),
        (r"\{9}", 3),
        (r"(?:x{30}\Q)\E){30}", 30 * (1 + 30 + 5)),
        (r"\Qa{1000}", 9),
        ("((((", 0),
        ("a)){3}", 5),
    ],
)
def test_repetitions_are_written_out_in_the_size(pattern: str, size: int) -> None:
    assert pattern_size(pattern) == size


def test_what_would_compile_for_long_is_refused_however_it_is_spread() -> None:
    def filters(*patterns: str) -> dict[str, object]:
        one = [{"column": "x", "op": "matches", "value": pattern} for pattern in patterns]
        return {"filters": [*one[:1], {"filter_combination": "OR", "filters": one[1:]}]}

    most = limits.FILTER_PATTERN_SIZE_MAX
    assert len(read_filters(filters(f"a{{{most // 2}}}", f"b{{{most // 2}}}"))) == 2
    for patterns in (
        (f"a{{{most // 2}}}", f"b{{{most // 2}}}c"),
        (r"(?:\pL\pN){300}", "x"),
        (r"\w{1000}", r"\w{1000}\w{1000}"),
        (r"\pL" * 11, r"\pL" * 10),
    ):
        with pytest.raises(SpecError, match="size of") as caught:
            read_filters(filters(*patterns))
        assert caught.value.field == "filters"
