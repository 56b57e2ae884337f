"""An answer says what of a field it could not use, and nothing that changes no number."""

import pytest

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.spec import Calculation, QuerySpec
from query.results.notes.type_notes import notes_on_types

COUNT = (Calculation("COUNT"),)


def notes(spec: QuerySpec, types: str) -> str:
    return "\n".join(notes_on_types(spec, {"x": types}))


@pytest.mark.parametrize(
    ("filters", "types", "told"),
    [
        ([(FilterOp.GE, 500)], "s", ">= 500 compares the numbers of `x`, which holds only text"),
        ([(FilterOp.GE, 500)], "is", ">= 500 compares the numbers of `x`, whose text is left out"),
        ([(FilterOp.EQ, 200)], "s", "`x` holds only text, which the number 200 does not equal"),
        ([(FilterOp.IN, 200)], "fs", "`x` also holds text, which the number 200 does not equal"),
        ([(FilterOp.GT, "abc")], "i", '> "abc" compares text, and `x` holds none'),
        ([(FilterOp.GT, "abc")], "fi", '> "abc" compares text, and `x` holds none'),
    ],
)
def test_a_comparison_that_the_fields_type_does_not_meet_is_told(
    filters: list[tuple[FilterOp, int | str]], types: str, told: str
) -> None:
    found = tuple(Filter("x", op, (value,)) for op, value in filters)
    for held in (found, (Filter("", FilterOp.NONE_OF, (), found),)):
        assert told in notes(QuerySpec(COUNT, held), types)


@pytest.mark.parametrize(
    ("op", "value", "types"),
    [
        (FilterOp.GE, 500, "fi"),
        (FilterOp.GE, 500, "bi"),
        (FilterOp.EQ, "200", "i"),
        (FilterOp.EQ, "200", "is"),
        (FilterOp.GT, "5", "i"),
        (FilterOp.GT, "abc", "is"),
        (FilterOp.GT, "abc", ""),
        (FilterOp.EQ, True, "s"),
        (FilterOp.CONTAINS, "a", "fis"),
        (FilterOp.EXISTS, None, "fis"),
    ],
)
def test_what_changes_no_number_is_not_told(
    op: FilterOp, value: int | str | None, types: str
) -> None:
    one = Filter("x", op, () if value is None else (value,))
    assert notes(QuerySpec(COUNT, (one,)), types) == ""


@pytest.mark.parametrize(
    ("value", "types", "told"),
    [
        ("5xx", "i", True),
        ("status", "f", True),
        ("yes", "b", True),
        ("5xx", "is", False),
        ("5xx", "ij", False),
        ("5xx", "", False),
        ("200", "i", False),
        ("2e2", "f", False),
        ("true", "b", False),
        ("true", "i", True),
    ],
)
@pytest.mark.parametrize("op", [FilterOp.EQ, FilterOp.NE, FilterOp.IN, FilterOp.NOT_IN])
def test_a_text_that_no_value_of_a_field_can_equal_is_told(
    op: FilterOp, value: str, types: str, told: bool
) -> None:
    found = notes(QuerySpec(COUNT, (Filter("x", op, (value,)),)), types)
    assert (f'`x` holds no text: nothing equals "{value}"' in found) is told
    assert bool(found) is told


def test_a_note_names_no_text_that_was_not_typed() -> None:
    one = Filter("x", FilterOp.EQ, (1.1,))  # which may have been typed as 1.10
    assert '"1.1"' not in notes(QuerySpec(COUNT, (one,)), "s")
    assert "in quotes, as it was sent" in notes(QuerySpec(COUNT, (one,)), "s")


def test_calculations_say_which_values_they_leave_out() -> None:
    total = QuerySpec((Calculation("SUM", "x"),))
    assert notes(total, "fi") == notes(total, "i") == notes(total, "") == ""
    assert "SUM(x) reads the numbers of `x`, some of whose values are text" in notes(total, "is")
    assert "which holds only text: there is no number" in notes(total, "s")


def test_groups_of_numbers_and_text_are_told_apart() -> None:
    grouped = QuerySpec(COUNT, breakdowns=("x",))
    assert notes(grouped, "fi") == ""
    assert notes(grouped, "is") == '`x` holds numbers and text: 200 and "200" are two groups'
