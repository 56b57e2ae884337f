"""Bodies of resources: whatever is sent, either every value is one that was declared, or each fault
is named.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.api.resources.kinds import RESOURCE_KINDS
from query.api.resources.members import Member, MemberType, read_change, read_new
from query.api.resources.span_definitions import read_definitions
from query.faults import Fault, InvalidValues
from query.plan.span_parts import SPAN_PARTS

T = TypeVar("T")
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(["#F96E11", "https://x/y", "deploy", "x" * 5_000]),
)
_VALUES = st.one_of(_SCALARS, st.lists(_SCALARS, max_size=2), st.dictionaries(st.text(), _SCALARS))


def _is_declared(member: Member, value: Any) -> bool:
    if member.type is MemberType.WHOLE:
        within = member.at_most is None or value <= member.at_most
        return type(value) is int and value >= member.at_least and within
    short = member.at_most is None or len(value) <= member.at_most
    return isinstance(value, str) and short and bool(value.strip() or not member.required)


def _outcome(read: Callable[[], T]) -> tuple[T | None, tuple[Fault, ...]]:
    """What was read, or the faults."""
    try:
        return read(), ()
    except InvalidValues as error:
        return None, error.faults


@pytest.mark.parametrize("kind", RESOURCE_KINDS, ids=lambda kind: kind.path)
@given(data=st.data())
def test_a_body_is_read_as_declared_or_refused(kind: Any, data: st.DataObject) -> None:
    names = st.sampled_from([*(one.name for one in kind.members), "id", "mesage"])
    body = data.draw(st.dictionaries(names, _VALUES, max_size=4))
    values, faults = _outcome(lambda: read_new(body, kind.members, kind.read_only))
    if values is None:
        assert {one.code for one in faults} <= {"missing", "incorrect_type", "invalid"}
        assert {one.field for one in faults} <= {one.name for one in kind.members} | {"mesage"}
        return
    assert list(values) == [one.name for one in kind.members]
    assert all(_is_declared(one, values[one.name]) for one in kind.members)
    assert read_change(values, kind.members, values) == values, "what was read can be sent back"
    assert set(body) <= {*values, *kind.read_only}


_PARTS = st.sampled_from([*SPAN_PARTS, "trace"])
_FIELD = st.fixed_dictionaries({}, optional={"name": _SCALARS, "column_type": _SCALARS})


@given(body=st.dictionaries(_PARTS, st.one_of(_SCALARS, _FIELD), max_size=3))
def test_definitions_are_fields_of_parts_or_refused(body: dict[str, Any]) -> None:
    fields, faults = _outcome(lambda: read_definitions(body))
    if fields is None:
        assert {one.field.partition(".")[0] for one in faults} <= set(body)
        return
    assert set(fields) == set(body)
    assert set(fields) <= set(SPAN_PARTS)
    assert all(len(name) <= 255 for name in fields.values())
