"""Peers that are told their columns are told the right ones."""

from benchmarks.systems.shapes import Kind, shape_of

LINES = [
    b'{"n": 1, "x": 1, "flag": true, "o": {"a": 1}, "many": [1], "odd": 1, "no": null}',
    b'{"n": 2, "x": 2.5, "o": {"b": "t"}, "many": [], "odd": "1", "big": 123456789012345678901}',
]


def test_kinds_are_what_all_values_have_in_common() -> None:
    found = {name: one.kind for name, one in shape_of(LINES).members.items()}
    assert found == {
        "n": Kind.INT,
        "x": Kind.FLOAT,
        "flag": Kind.BOOL,
        "o": Kind.OBJECT,
        "many": Kind.MIXED,
        "odd": Kind.MIXED,
        "no": None,
        "big": Kind.FLOAT,
    }


def test_it_is_known_which_fields_are_always_there() -> None:
    whole = shape_of(LINES)
    assert whole.times == 2
    always = {name for name, one in whole.members.items() if one.times == whole.times}
    assert always == {"n", "x", "o", "many", "odd"}
    assert {name: one.times for name, one in whole.members["o"].members.items()} == {"a": 1, "b": 1}
