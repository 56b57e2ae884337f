"""Logs as text: the time and level at their usual positions, the rest of the line in `message`.

Fields: level, thread, logger, pid and others where a known shape has them (text_shapes), source (a
word before the time), message. Nothing of a line is lost but blanks and punctuation between them.
Lines that surely go on with the one before (stack traces) are joined to it; a line without a time
of its own has the time of the line before it.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from bellwether.send.event import LineRead, Members, Parsed, Reader
from bellwether.send.formats.text.continuation import Given, StackTraces
from bellwether.send.formats.text.joined import read_joined
from bellwether.send.formats.text.shapes import (
    GLOG,
    LEVEL_BEFORE,
    LEVEL_LETTERS,
    OPEN_SHAPES,
    REQUEST_ID,
    SHAPES,
    UNTIMED_SHAPES,
)
from bellwether.send.formats.text.time import CLOCK_ALONE, TimeFound, find_time
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.values import typed

_SECOND_LINE_LEVEL = re.compile(
    r"[\w.$]{1,300} [\w$<>]{1,200}\n(SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): "
)
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,30}m")  # what programs write to a terminal
_NUMBERS = ("pid", "tid", "line", "myid")


def parse_line(text: str) -> LineRead:
    """The line's fields, and its time as it is written (None if it has none). Never refuses."""
    text = _plain(text)
    glog = GLOG.fullmatch(text)
    if glog is not None:
        return LineRead(_fields(glog), glog["time"])
    found = find_time(text)
    if found is None:
        return LineRead(_untimed(text))
    members: Members = {}
    before = found.before
    if before and before != "-":
        level = LEVEL_BEFORE.fullmatch(before)
        if level is None:
            members["source"] = before
        else:
            members["level"] = level["level"] or LEVEL_LETTERS[level["letter"]]
            if level["thread"]:
                members["thread"] = level["thread"]
    is_open = found.is_open or (before.startswith("[") and not before.endswith("]"))
    _add_rest(text, found, is_open, members)
    return LineRead(members, found.time)


def looks_like(text: str) -> bool:
    """Whether the line surely is of a log: it has a time where times stand, or is glog's."""
    text = _plain(text)
    return find_time(text) is not None or GLOG.fullmatch(text) is not None


def _plain(text: str) -> str:
    return _COLOURS.sub("", text) if "\x1b" in text else text


def reader_for(head: bytes, options: ReadOptions) -> Reader:
    """Entries of a log, with their stack traces (or the lines that `--continuation` matches)."""

    def read(stream: BinaryIO) -> Iterator[Parsed]:
        going_on = Given(options.continuation) if options.continuation else StackTraces(looks_like)
        joined = read_joined(stream, parse_line, going_on, carry_time=True, borders=options.borders)
        return map(_with_level, joined)

    if options.continuation:
        Given(options.continuation)  # a bad expression is refused before anything is read
    return read


def _with_level(item: Parsed) -> Parsed:
    """The level that java.util.logging writes on an entry's second line is a field too."""
    members = item.members
    if members is not None and "level" not in members:
        level = _SECOND_LINE_LEVEL.match(str(members.get("message", "")))
        if level is not None:
            members["level"] = level[1]
    return item


def _add_rest(text: str, found: TimeFound, is_open: bool, members: Members) -> None:
    rest = text[found.rest :]
    shaped = None
    if is_open:
        shaped = _first_shape(OPEN_SHAPES, rest)
        if shaped is None:  # a bracket that holds more than a time: the line stays whole
            rest = text
    if shaped is None:
        # a tab or more blanks are no part of a shape; the message keeps its own
        shaped = _first_shape(SHAPES, rest.lstrip()) or {"message": rest.removeprefix(" ")}
    before = members.get("level")
    members.update(shaped)
    if before is not None and members["level"] != before:  # two levels: none is lost
        members["source"] = found.before
    message = members.get("message")
    if isinstance(message, str) and message.startswith("[req-"):
        request = REQUEST_ID.match(message)
        if request is not None:
            members["request_id"] = request[1]


def _untimed(text: str) -> Members:
    clock = CLOCK_ALONE.match(text)
    if clock is None:
        return _first_shape(UNTIMED_SHAPES, text) or {"message": text}
    shaped = _first_shape(SHAPES, text[clock.end() :].lstrip())
    if shaped is None:
        return {"message": text}
    return {"time_of_day": clock["time_of_day"], **shaped}


def _first_shape(shapes: tuple[re.Pattern[str], ...], rest: str) -> Members | None:
    for shape in shapes:
        found = shape.fullmatch(rest)
        if found is not None:
            return _fields(found)
    return None


def _fields(found: re.Match[str]) -> Members:
    members: Members = {}
    for name, value in found.groupdict().items():
        if name == "letter":
            members["level"] = LEVEL_LETTERS[value]
        elif name == "message":
            members["message"] = value
        elif name == "thread" and value:
            if thread := value.strip():
                members["thread"] = thread
        elif name != "time" and value:
            members[name] = typed(value) if name in _NUMBERS else value
    return members
