"""The table of formats: a new one is a file of its own and one line here.

A format of lines gives a pure function `(text) -> LineRead` and a strict `looks_like(text)`;
others give a reader of the whole stream. Every reader yields each event, or the reason why there
is none, with the offset after it; one bad line loses only itself (I9).
"""

from collections.abc import Callable
from dataclasses import dataclass

from bellwether.send.event import LineParser, Reader, UnknownFormat
from bellwether.send.formats import logfmt
from bellwether.send.formats.access import error_log
from bellwether.send.formats.access import log as access_log
from bellwether.send.formats.field_names import bounded
from bellwether.send.formats.json import text as json_text
from bellwether.send.formats.syslog import syslog
from bellwether.send.formats.tables import table
from bellwether.send.formats.text import text
from bellwether.send.formats.text.continuation import Given
from bellwether.send.formats.text.joined import read_joined
from bellwether.send.formats.text.patterns import BadPattern, compile_pattern, try_on
from bellwether.send.lines import read_text_lines
from bellwether.send.options import ReadOptions

ReaderFactory = Callable[[bytes, ReadOptions], Reader]


@dataclass(frozen=True, slots=True)
class Format:
    """A format by its name.

    help: one line, as text.
    reader_for: makes the reader, from the file's first bytes and the options.
    looks_like: whether a line is surely of this format; None: a single line cannot decide it.
    ends_itself: an event shows its own end, so that the last one needs no line break to be whole.
    joins_lines: the next line may continue the event before it.
    """

    name: str
    help: str
    reader_for: ReaderFactory
    looks_like: Callable[[str], bool] | None = None
    ends_itself: bool = False
    joins_lines: bool = False


def _of_lines(parse: LineParser) -> ReaderFactory:
    """The reader of a format in which every line is an event, unless `--continuation` says that
    some lines go on with the one before.
    """

    def make(head: bytes, options: ReadOptions) -> Reader:
        if not options.continuation:
            return lambda stream: read_text_lines(stream, parse)
        going_on = Given(options.continuation)
        return lambda stream: read_joined(stream, parse, going_on, borders=options.borders)

    return make


def _bounded(factory: ReaderFactory, name: str) -> ReaderFactory:
    """The same, stopped before its lines have made too many fields."""

    def make(head: bytes, options: ReadOptions) -> Reader:
        read = factory(head, options)
        return lambda stream: bounded(read(stream), name)

    return make


def _of_pattern(head: bytes, options: ReadOptions) -> Reader:
    """Lines by the user's expression. Raises BadPattern."""
    if not options.pattern:
        raise BadPattern("--format pattern needs --pattern with a regular expression")
    parse = compile_pattern(options.pattern)
    try_on(head.decode("utf-8", "replace").splitlines()[:-1], parse)
    return _of_lines(parse)(head, options)


FORMATS = (
    Format("json", "JSON lines, arrays, documents", json_text.reader_for, ends_itself=True),
    Format("csv", "comma-separated values (also ; and |)", table.reader_for("csv")),
    Format("tsv", "tab-separated values", table.reader_for("tsv")),
    Format(
        "logfmt",
        'key=value key="a text"',
        _bounded(_of_lines(logfmt.parse_line), "logfmt"),
        logfmt.looks_like,
    ),
    Format(
        "combined",
        "access logs of Apache and nginx",
        _of_lines(access_log.parse_line),
        access_log.looks_like,
    ),
    Format("common", "the same", _of_lines(access_log.parse_line)),
    Format(
        "vhost_combined",
        "the same, each line beginning with the virtual host",
        _of_lines(access_log.parse_vhost_line),
    ),
    Format(
        "apache_error",
        "error logs of Apache",
        _of_lines(error_log.parse_apache),
        error_log.looks_like_apache,
    ),
    Format(
        "nginx_error",
        "error logs of nginx",
        _of_lines(error_log.parse_nginx),
        error_log.looks_like_nginx,
    ),
    Format(
        "syslog",
        "RFC 3164, RFC 5424, rsyslog, journalctl",
        _bounded(syslog.reader_for, "syslog"),
        syslog.looks_like,
        joins_lines=True,
    ),
    Format(
        "text",
        "other logs: time, level, message, stack traces",
        text.reader_for,
        text.looks_like,
        joins_lines=True,
    ),
    Format("pattern", "lines by the regular expression of --pattern", _of_pattern),
)
_BY_NAME = {known.name: known for known in FORMATS}
NAMES = tuple(_BY_NAME)


def format_named(name: str) -> Format:
    """The format of this name. Raises UnknownFormat."""
    found = _BY_NAME.get(name)
    if found is None:
        raise UnknownFormat(f"unknown format {name!r}: one of {', '.join(NAMES)}")
    return found


def reader_for(name: str, head: bytes, options: ReadOptions | None = None) -> Reader:
    """The reader of a file of this format that begins so. Raises UnknownFormat."""
    return format_named(name).reader_for(head, options or ReadOptions())
