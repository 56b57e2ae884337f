"""Keys of many columns as arrays are the keys one by one: order, search, physical names, unions."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.columns import ColumnKey, FieldType
from segment.columns.key import parse_physical
from segment.columns.names import PackedKeys, parse_all, union

FIELDS = st.one_of(st.text(max_size=6), st.sampled_from(["a", "A", "a.b", "ä", "%", "", "\0", "z"]))
KEYS = st.sets(st.builds(ColumnKey, FIELDS, st.sampled_from(FieldType)), max_size=12)


@given(KEYS)
def test_keys_are_what_they_were_made_of(keys: set[ColumnKey]) -> None:
    in_order = sorted(keys)
    packed = PackedKeys.of(in_order)
    assert list(packed) == in_order
    assert [packed.at(place) for place in range(len(packed))] == in_order
    assert [packed.find(key) for key in in_order] == list(range(len(in_order)))
    assert packed.find(ColumnKey("not there", FieldType.INT)) == -1


@given(KEYS)
def test_physical_names_are_those_of_each_and_read_back(keys: set[ColumnKey]) -> None:
    in_order = sorted(keys)
    physical = PackedKeys.of(in_order).physical()
    assert physical.to_pylist() == [key.physical for key in in_order]
    assert list(parse_all(physical)) == in_order
    backwards = pa.array([key.physical for key in reversed(in_order)], pa.large_string())
    assert list(parse_all(backwards)) == in_order


@given(st.lists(KEYS, min_size=1, max_size=4))
def test_a_union_has_every_key_once_and_knows_where_each_is(some: list[set[ColumnKey]]) -> None:
    keys, where = union([PackedKeys.of(sorted(one)) for one in some])
    assert list(keys) == sorted(frozenset().union(*some))
    for one, places in zip(some, where, strict=True):
        assert [keys.at(place) for place in places.tolist()] == sorted(one)


@given(st.text(alphabet="f:%0aAgis_", max_size=8))
def test_what_is_no_physical_name_is_refused(text: str) -> None:
    try:
        key = parse_physical(text)
    except ValueError:
        key = None
    if key is None or key.physical != text:
        return
    assert list(parse_all(pa.array([text], pa.large_string()))) == [key]


@pytest.mark.parametrize("text", ["_time", "f:a", "f:a:x", "f:%:i", "f:%zz:i", "f:%ff:i", "g:a:i"])
def test_a_damaged_list_of_names_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_all(pa.array(["f:a:i", text], pa.large_string()))
