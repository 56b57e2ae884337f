"""Where a line of a log has its time: at its beginning, bare or in brackets, or after one word.

TIMES has the shapes that are passed on as they are written, each with an example.
`common.model.times` reads them all: tests/bellwether/send/formats/test_text.py tries each.
"""

import re
from typing import NamedTuple

_MONTH = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_WEEKDAY = "(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )"
_FRACTION = r"(?:[.,:]\d{1,9})?"
_CLOCK = rf"\d{{1,2}}:\d\d:\d\d{_FRACTION}"
_ZONES = "UTC|GMT|E[SD]T|C[SD]T|M[SD]T|P[SD]T|WES?T|CES?T|EES?T|MSK|JST|KST|AE[SD]T|NZ[SD]T"
_ZONE = rf"(?: ?(?:Z|[+-]\d\d:?\d\d|(?:{_ZONES})))?"
_HALF = r"(?: ?[AaPp][Mm]\b)?"
_ISO = (
    r"\d{4}([-/.])\d{1,2}\1\d{1,2}(?:[Tt _:-]| {2}|, )"
    rf"\d{{1,2}}:\d\d(?::\d\d{_FRACTION})?{_ZONE}"
)
TIMES = (
    (_ISO, "2015-10-18 18:01:47,978"),
    (r"\d{4}-\d\d-\d\d-\d\d\.\d\d\.\d\d\.\d{6}", "2005-06-03-15.42.50.675872"),
    (rf"\d\d/\d\d/\d\d {_CLOCK}", "17/06/09 20:10:40"),  # yy/MM/dd, as loggers write it
    (rf"\d{{1,2}}/\d{{1,2}}/\d{{4}},? {_CLOCK}{_HALF}", "07/29/2015 05:41:44 PM"),
    (rf"\d{{1,2}}\.\d{{1,2}}\.\d{{4}},? {_CLOCK}{_ZONE}", "29.07.2015 17:41:44"),
    (r"\d{6} \d{6}(?:[.,]\d{1,9})?", "081109 203615"),
    (rf"\d{{6}} {{1,2}}{_CLOCK}", "070910 17:31:13"),
    (rf"\d{{8}}[T -]?\d{{6}}{_FRACTION}{_ZONE}", "20150517T100503Z"),
    (rf"\d{{8}}[T -]{_CLOCK}{_ZONE}", "20171223-22:15:29:606"),
    (
        rf"{_WEEKDAY}?\d{{1,2}}[ /-]{_MONTH}[ /-]\d{{2,4}}[ :,]{{1,2}}{_CLOCK}{_HALF}{_ZONE}",
        "17-May-2015 10:05:03.123",
    ),
    (
        rf"{_WEEKDAY}?{_MONTH} {{1,2}}\d{{1,2}},? (?:\d{{4}},? )?{_CLOCK}{_HALF}{_ZONE}"
        r"(?: (?:19|20)\d\d\b)?",
        "Fri Sep 09 10:42:29.902022 2011",
    ),
    (r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,9}", "03-17 16:13:38.811"),
    (r"1\d{9}(?:\.\d{1,9})?", "1117838570.123"),
    (r"1\d{12}", "1117838570123"),
    (r"1\d{15}", "1117838570123456"),
    (r"1\d{18}", "1117838570123456789"),
)
_ANY_TIME = "|".join(shape.replace(r"\1", r"(?P=dash)").replace("([-/.])", "(?P<dash>[-/.])")
                     for shape, _ in TIMES)  # fmt: skip
# what may follow a time: else it is part of something longer
_END = r"(?=[\s\]|,;:)>\"'-]|$)"
_AT_START = re.compile(rf"\s*(?P<open>[\[(<\"']?){_WEEKDAY}?(?P<time>{_ANY_TIME}){_END}")
# after one word (a file's or container's name, a level) only what is surely a time stands
_SURE = (
    rf"{_ISO}".replace(r"\1", r"(?P=dash)").replace("([-/.])", "(?P<dash>[-/.])")
    + rf"|\d{{1,2}} {_MONTH} \d{{4}} {_CLOCK}"
)
_AFTER_WORD = re.compile(
    r"(?P<word>[A-Z]{4,8} {1,4}\[[^\]]{0,200}\]|\S{1,200}?)"
    r"(?::|,? {1,4}(?:\| )?|(?<=[A-Z]{4})(?=\[))"
    rf"(?P<open>[\[(]?)(?P<time>{_SURE}){_END}"
)
# a time of day has no date: it is kept as a field, and the event has no time of its own
CLOCK_ALONE = re.compile(rf"\[?(?P<time_of_day>{_CLOCK})\]?(?=[ \t])")
_AFTER_DASH = re.compile(rf"- (?P<time>1\d{{9}}){_END}")
_SEARCHED_CHARS = 400  # of a line, in which its time may be
_CLOSERS = {"[": "]", "(": ")", "<": ">", '"': '"', "'": "'"}


class TimeFound(NamedTuple):
    """before: the word before the time; time: as it is written; rest: the offset of what follows;
    is_open: whether a bracket that begins before the time does not end right after it.
    """

    before: str
    time: str
    rest: int
    is_open: bool


def find_time(text: str) -> TimeFound | None:
    """Where the line's time is; None if it has none at the usual positions."""
    found = _AT_START.match(text, 0, _SEARCHED_CHARS)
    if found is not None:
        return _found(text, "", found)
    found = _AFTER_WORD.match(text, 0, _SEARCHED_CHARS)
    if found is not None:
        return _found(text, found["word"], found)
    found = _AFTER_DASH.match(text, 0, _SEARCHED_CHARS)
    if found is not None:
        return TimeFound("-", found["time"], found.end(), False)
    return None


def _found(text: str, before: str, found: re.Match[str]) -> TimeFound:
    opening, at = found["open"], found.end()
    if not opening:
        return TimeFound(before, found["time"], at, False)
    if text.startswith(_CLOSERS[opening], at):
        return TimeFound(before, found["time"], at + 1, False)
    return TimeFound(before, found["time"], at, True)
