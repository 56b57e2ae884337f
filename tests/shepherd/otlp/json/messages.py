"""Arbitrary messages for property tests, made from the descriptors."""

import math
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

_FLOATS = st.floats().map(lambda value: math.nan if math.isnan(value) else value)  # one NaN
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: st.text(max_size=9),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=20),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_DOUBLE: _FLOATS,
}
_DEPTH_MAX = 9


@st.composite
def messages(draw: st.DrawFn, kind: type[Message]) -> Message:
    """A message with any of its fields, and inner messages down to a bounded depth."""
    message = kind()
    _fill(draw, message, kind.DESCRIPTOR, 0)
    return message


def _fill(draw: Callable[..., Any], message: Message, descriptor: Descriptor, depth: int) -> None:
    fields = [f for f in descriptor.fields if f.message_type is None or depth < _DEPTH_MAX]
    if not fields:
        return
    for field in draw(st.lists(st.sampled_from(fields), max_size=5, unique_by=lambda f: f.number)):
        if field.message_type is None:
            scalar = (
                st.sampled_from([value.number for value in field.enum_type.values])
                if field.enum_type
                else _SCALARS[field.type]
            )
            if field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(scalar, max_size=3)))
            else:
                setattr(message, field.name, draw(scalar))
        elif field.is_repeated:
            for _ in range(draw(st.integers(0, 2))):
                inner = GetMessageClass(field.message_type)()
                _fill(draw, inner, field.message_type, depth + 1)
                getattr(message, field.name).append(inner)
        else:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _fill(draw, inner, field.message_type, depth + 1)
