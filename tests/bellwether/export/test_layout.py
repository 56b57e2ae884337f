"""Plain names that no reader confuses, and one type for each column of a typed file."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bellwether.export.layout import FieldsSeen, Kind, Layout, kind_of


def layout_of(*events: dict[str, Any], typed: bool = True) -> Layout:
    seen = FieldsSeen()
    for event in events:
        seen.add(raw(event))
    return seen.layout(typed=typed)


def raw(event: dict[str, Any]) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in event.items()}


def named(layout: Layout) -> dict[str, tuple[str, Kind]]:
    return {column.name: (column.field, column.kind) for column in layout.columns}


def test_names_that_differ_in_case_alone_do_not_meet() -> None:
    found = named(layout_of({"Status": 1, "status": 2, "STATUS": 3, "straße": 4, "STRASSE": 5}))
    assert found == {
        "STATUS": ("STATUS", Kind.WHOLE),
        "Status_2": ("Status", Kind.WHOLE),
        "status_3": ("status", Kind.WHOLE),
        "STRASSE": ("STRASSE", Kind.WHOLE),
        "straße_2": ("straße", Kind.WHOLE),
    }


def test_our_own_columns_give_way_and_a_field_without_a_name_gets_one() -> None:
    found = layout_of({"Time": 1, "samplerate": 2, "event.samplerate": 3, "": 4})
    assert (found.time, found.rate) == ("event.time", "event.event.samplerate")
    assert named(found)["unnamed"] == ("", Kind.WHOLE)
    assert {"Time", "samplerate", "event.samplerate"} <= set(named(found))


def test_numbers_share_a_column_where_a_double_is_every_one_of_them() -> None:
    assert named(layout_of({"ms": 1}, {"ms": 2.5})) == {"ms": ("ms", Kind.REAL)}
    apart = named(layout_of({"n": 2**53 + 1}, {"n": 2.5}, {"n": 3.5}))
    assert apart == {"n": ("n", Kind.REAL), "n.integer": ("n", Kind.WHOLE)}


def test_the_most_frequent_type_keeps_the_name_and_a_real_field_keeps_its_own() -> None:
    found = named(layout_of({"code": "a", "code.integer": True}, {"code": "b"}, {"code": 5}))
    assert found == {
        "code": ("code", Kind.TEXT),
        "code.integer": ("code.integer", Kind.FLAG),
        "code.integer_2": ("code", Kind.WHOLE),
    }


def test_a_file_of_text_has_one_column_for_a_field() -> None:
    found = named(layout_of({"code": "a"}, {"code": 5}, {"code": [1]}, {"code": None}, typed=False))
    assert list(found) == ["code"]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=3),
    st.floats(allow_nan=False, allow_infinity=False), st.lists(st.integers(), max_size=2),
)  # fmt: skip
NAMES = st.text(alphabet="aAbß._2 ", max_size=4) | st.sampled_from(["time", "TIME", "samplerate"])


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), max_size=8), st.booleans())
def test_names_never_meet_and_every_value_has_exactly_one_column(
    events: list[dict[str, Any]], typed: bool
) -> None:
    found = layout_of(*events, typed=typed)
    names = [found.time, found.rate, *(column.name for column in found.columns)]
    assert len({name.casefold() for name in names}) == len(names)
    assert all(names)
    for event in events:
        for field, value in raw(event).items():
            kind = kind_of(value)
            holding = [c for c in found.columns if c.field == field and kind in c.kinds]
            assert len(holding) == (kind is not None)
