"""OTLP's attributes as fields of an event.

Texts, numbers and booleans are fields as they are. An object (kvlist) becomes one field for each of
its members, `name.member`, five objects deep; a list, bytes and a deeper object become their JSON
with a line break at its end, as the vendor stores them. An absent value (null) gives no field.
"""

import base64
import math
import struct
from collections.abc import Iterator
from typing import Final

import orjson

from common import limits
from common.scan.events import Mended, Rule
from common.scan.value_repair import changed_field
from common.scan.work_budget import Work
from shepherd.otlp.decode.reference.wire import (
    fields,
    fixed64,
    length_delimited,
    signed,
    text_of,
    varint,
)

Value = str | bool | int | float
Nested = Value | None | list["Nested"] | dict[str, "Nested"]

OTHER: Final = "(other)"  # the name of fields that are not named
TOO_MANY: Final = Mended(Rule.TOO_MANY_FIELDS, OTHER)
# Each value of a list is two bytes of its JSON at least, a text one more for each of its own, and
# the rest is cut.
_NESTED_MAX: Final = limits.LONG_STRING_BYTES_MAX // 2
_BYTES_READ_MAX: Final = limits.LONG_STRING_BYTES_MAX // 3 * 3  # likewise, in base64
_KEY: Final = length_delimited(1)
_VALUE: Final = length_delimited(2)
_STRING: Final = length_delimited(1)
_BOOL: Final = varint(2)
_INT: Final = varint(3)
_DOUBLE: Final = fixed64(4)
_LIST: Final = length_delimited(5)
_OBJECT: Final = length_delimited(6)
_BYTES: Final = length_delimited(7)
_ITEM: Final = length_delimited(1)  # of a list, and of an object
_ABSENT: Final = -1
_TAGS: Final = frozenset((_STRING, _BOOL, _INT, _DOUBLE, _LIST, _OBJECT, _BYTES))
_FLATTENED_DEPTH: Final = 5


def add_mended(mended: dict[Mended, None], rule: Rule, name: str) -> None:
    """Note a field that is not stored as sent: by its name, unless there are many."""
    if len(mended) >= limits.OTLP_MENDED_NAMES_MAX:
        name = OTHER
    mended[changed_field(rule, name)] = None


class Attributes:
    """Fields of an event in the order in which they came; of a name that comes twice the first.

    values: by name, as many as an event may have.
    mended: fields that are not stored as sent, each once; beyond a number of them one for all.
    """

    __slots__ = ("mended", "values")

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}
        self.mended: dict[Mended, None] = {}

    def add(self, name: str, value: Value) -> None:
        """Add a field that is not there yet."""
        if len(self.values) < limits.EVENT_FIELDS_MAX:
            self.values.setdefault(name, value)
        elif name not in self.values:
            self.mended[TOO_MANY] = None

    def add_text(self, name: str, content: memoryview) -> None:
        """Add a text that is not there yet; an empty one gives no field."""
        if content:
            text, is_utf8 = text_of(content)
            if not is_utf8:
                self.mend(Rule.NOT_UTF8, name)
            self.add(name, text)

    def mend(self, rule: Rule, name: str) -> None:
        """Note that a field is not stored as sent."""
        add_mended(self.mended, rule, name)


def add_attribute(attributes: Attributes, key_value: memoryview, work: Work) -> None:
    """Add the fields of a KeyValue message. Raises MalformedBody, TooMuchWork."""
    _add_member(attributes, "", key_value, 0, work)


def add_value(attributes: Attributes, name: str, any_value: memoryview, work: Work) -> None:
    """Add the fields of an AnyValue message under this name. Raises as `add_attribute`."""
    _add(attributes, name, any_value, 0, work)


def add_json(attributes: Attributes, name: str, any_value: memoryview, work: Work) -> None:
    """Add an AnyValue message as one field: its JSON and a line break. Raises as above."""
    nested = _Nested(attributes, name, work).read(any_value, 0)
    text, _ = text_of(memoryview(orjson.dumps(nested)))  # no more than can be stored
    attributes.add(name, text + "\n")


def _add_member(
    attributes: Attributes, prefix: str, key_value: memoryview, depth: int, work: Work
) -> None:
    key, value = _key_value(key_value, work)
    name, is_utf8 = text_of(key)
    name = prefix + name
    if not key:
        attributes.mend(Rule.UNSUPPORTED_VALUE, name)  # a value without a name
        return
    if len(name) * 4 > limits.STRING_BYTES_MAX < len(name.encode()):
        attributes.mend(Rule.KEY_TOO_LONG, name)
        return
    if not is_utf8:
        attributes.mend(Rule.NOT_UTF8, name)
    _add(attributes, name, value, depth, work)


def _key_value(message: memoryview, work: Work) -> tuple[memoryview, memoryview]:
    key = value = memoryview(b"")
    for tag, _, content in fields(message, work):
        if tag == _KEY:
            key = content
        elif tag == _VALUE:
            value = content
    return key, value


def _read(any_value: memoryview, work: Work) -> tuple[int, int, memoryview]:
    """The tag, number and content of a value: of several the last, as protobuf has it."""
    found = _ABSENT, 0, memoryview(b"")
    for tag, value, content in fields(any_value, work):
        if tag in _TAGS:
            found = tag, value, content
    return found


def _add(attributes: Attributes, name: str, any_value: memoryview, depth: int, work: Work) -> None:
    tag, number, content = _read(any_value, work)
    if tag == _STRING:
        text, is_utf8 = text_of(content)
        if not is_utf8:
            attributes.mend(Rule.NOT_UTF8, name)
        attributes.add(name, text)
    elif tag == _INT:
        attributes.add(name, signed(number))
    elif tag == _BOOL:
        attributes.add(name, bool(number))
    elif tag == _DOUBLE:
        value = double_of(number)
        if math.isfinite(value):
            attributes.add(name, value)
        else:
            attributes.mend(Rule.NOT_FINITE, name)
    elif tag == _OBJECT and depth < _FLATTENED_DEPTH:
        for member in _items(content, work):
            _add_member(attributes, f"{name}.", member, depth + 1, work)
    elif tag == _ABSENT:
        attributes.mend(Rule.UNSUPPORTED_VALUE, name)
    else:
        add_json(attributes, name, any_value, work)


def _items(content: memoryview, work: Work) -> Iterator[memoryview]:
    """The elements of a list, or the members of an object."""
    return (item for tag, _, item in fields(content, work) if tag == _ITEM)


def double_of(bits: int) -> float:
    """A double from its 64 bits."""
    number: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return number


class _Nested:
    """Reads a value for JSON text. Faults are noted for the field `name`.

    Values that come so late that the text is cut before them are not read.
    """

    __slots__ = ("_attributes", "_left", "_name", "_work")

    def __init__(self, attributes: Attributes, name: str, work: Work) -> None:
        self._attributes = attributes
        self._name = name
        self._work = work
        self._left = _NESTED_MAX

    def read(self, any_value: memoryview, depth: int) -> Nested:
        """depth: objects and lists around the value; beyond a limit they are null."""
        tag, number, content = _read(any_value, self._work)
        if tag == _STRING:
            return self._text(content)
        if tag == _INT:
            return signed(number)
        if tag == _BOOL:
            return bool(number)
        if tag == _DOUBLE:
            value = double_of(number)
            if math.isfinite(value):
                return value
            self._attributes.mend(Rule.NOT_FINITE, self._name)
            return None
        if tag == _BYTES:
            self._left -= len(content) // 2
            return base64.b64encode(content[:_BYTES_READ_MAX]).decode()
        if tag == _ABSENT:
            return None
        if depth >= limits.OTLP_VALUE_DEPTH_MAX:
            self._attributes.mend(Rule.TOO_DEEP, self._name)
            return None
        if tag == _LIST:
            return [self.read(item, depth + 1) for item in self._items(content)]
        found: dict[str, Nested] = {}
        for member in self._items(content):
            key, value_content = _key_value(member, self._work)
            self._left -= len(key) // 2
            found.setdefault(text_of(key)[0], self.read(value_content, depth + 1))
        return found

    def _text(self, content: memoryview) -> str:
        self._left -= len(content) // 2
        text, is_utf8 = text_of(content)
        if not is_utf8:
            self._attributes.mend(Rule.NOT_UTF8, self._name)
        return text

    def _items(self, content: memoryview) -> Iterator[memoryview]:
        for item in _items(content, self._work):
            self._left -= 1
            if self._left < 0:
                return
            yield item
