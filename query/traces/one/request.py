"""The request of `GET /bw/1/traces/{trace_id}`: its parameters, and the cursor of a page.

A cursor holds where its page begins, when the first page was judged, and a digest of the lines
before it: a trace that has changed there since is refused, so that pages never lack a line.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from multidict import MultiMapping

from common import limits
from query.faults import SpecError
from query.traces.one.ids import trace_id_of
from query.traces.one.tree import Judging

LINES_DEFAULT: Final = 1_000  # of a page: some hundred screens
LINES_MAX: Final = 10_000  # of a page: with 500 bytes each, 5 MB; 100,000 spans are ten pages
FIELDS_MAX: Final = 100  # requested fields: each is a column of everything the trace has
ID_CHARS_MAX: Final = 256  # of a trace's id: ids are 32 digits, own ones perhaps a path
SILENT_S_MAX: Final = 365 * 86_400.0
SKEW_MS_MAX: Final = 86_400_000.0
_CURSOR_VERSION: Final = 1
_PARAMETERS: Final = (
    "field", "limit", "cursor", "links", "silent_s", "skew_ms", "coverage", "after",
)  # fmt: skip
_TRUE: Final = {"1": True, "true": True, "0": False, "false": False}


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A decoded cursor.

    first: the first line of the page.
    now_ns: when unfinished spans were judged, in unix ns.
    digest: of the lines before.
    question: identifies the request without its page.
    """

    version: int
    first: int
    now_ns: int
    digest: str
    question: str


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """A request for one page of a trace.

    fields: to return beside those that every line has.
    limit: lines of the page.
    links: whether links from and to the trace are followed.
    cursor: None for the first page.
    """

    trace_id: str
    fields: tuple[str, ...]
    limit: int
    links: bool
    judging: Judging
    cursor: Cursor | None = None

    @property
    def question(self) -> str:
        """Identifies the request without its page."""
        judging = (self.judging.silent_ns, self.judging.skew_ns)
        return msgspec.json.encode((self.trace_id, self.fields, judging)).decode()

    def cursor_at(self, first: int, digest: str) -> str:
        """The cursor of the page that begins with a line."""
        cursor = Cursor(_CURSOR_VERSION, first, self.judging.now_ns, digest, self.question)
        return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def read_trace_request(trace_id: str, given: MultiMapping[str], now_ns: int) -> TraceRequest:
    """Read the path and the parameters of a request. Raises SpecError."""
    for name in given:
        if name not in _PARAMETERS:
            raise SpecError(name, "invalid", f"is not known; known are {', '.join(_PARAMETERS)}")
    trace_id = trace_id_of(trace_id)
    if not trace_id or len(trace_id) > ID_CHARS_MAX:
        raise SpecError("trace_id", "invalid", f"must have 1 to {ID_CHARS_MAX} characters")
    fields = tuple(dict.fromkeys(given.getall("field", [])))
    if len(fields) > FIELDS_MAX:
        raise SpecError("field", "invalid", f"{len(fields)} fields, at most {FIELDS_MAX} are read")
    silent_s = _number(given, "silent_s", limits.TRACE_SILENT_S_DEFAULT, SILENT_S_MAX)
    skew_ms = _number(given, "skew_ms", limits.TRACE_SKEW_MS_DEFAULT, SKEW_MS_MAX)
    links = given.get("links", "false")
    if links not in _TRUE:
        raise SpecError("links", "invalid", "must be true or false")
    wanted = TraceRequest(
        trace_id,
        fields,
        int(_number(given, "limit", LINES_DEFAULT, LINES_MAX, least=1)),
        _TRUE[links],
        Judging(now_ns, round(silent_s * 1e9), round(skew_ms * 1e6)),
    )
    text = given.get("cursor")
    return wanted if text is None else _at_cursor(wanted, text)


def _at_cursor(wanted: TraceRequest, text: str) -> TraceRequest:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise SpecError("cursor", "invalid", "is not one that a page ended with") from error
    if cursor.version != _CURSOR_VERSION:
        raise SpecError("cursor", "invalid", "is of another version: begin with the first page")
    judging = Judging(cursor.now_ns, wanted.judging.silent_ns, wanted.judging.skew_ns)
    at_page = TraceRequest(
        wanted.trace_id, wanted.fields, wanted.limit, wanted.links, judging, cursor
    )
    if cursor.question != at_page.question or cursor.first < 0:
        raise SpecError("cursor", "invalid", "belongs to another request")
    return at_page


def _number(
    given: Mapping[str, str], name: str, usual: float, most: float, least: float = 0
) -> float:
    text = given.get(name)
    if text is None:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise SpecError(name, "invalid", f"must be a number from {least:g} to {most:g}")
    return value
