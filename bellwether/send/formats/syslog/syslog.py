"""syslog: RFC 3164 and what daemons make of it, with and without priority, and RFC 5424.

Fields: facility, severity (from the priority), host, program, pid, msgid, message; structured
data of RFC 5424 as `ID.NAME`. The time is passed on as it is written; RFC 3164 has no year.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from bellwether.send.event import LineRead, Members, Parsed, Reader
from bellwether.send.formats.names import unused_name
from bellwether.send.formats.syslog.structured import structured_data
from bellwether.send.formats.text.continuation import Given
from bellwether.send.formats.text.joined import read_joined
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.values import typed

FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"),
    *("authpriv", "ftp", "ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_PRIORITY_MAX = 8 * len(FACILITIES) - 1

# Times that are passed on (each is read by `common.model.times`):
#   Jun 14 15:16:01     Jun  4 2005 15:16:01.123456     Jun 14 15:16:01 2005     Jun 14 15:16:01 UTC
_MONTH = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_BSD_TIME = (
    rf"{_MONTH} [ \d]?\d(?: \d{{4}})? \d\d:\d\d:\d\d(?:\.\d{{1,9}})?"
    r"(?: (?:19|20)\d\d(?= ))?(?: [A-Z]{1,4}(?=:))?"
)
#   2024-01-02T03:04:05.678901+00:00   2024-01-02 03:04:05 UTC   (without a weekday before it)
_ISO_TIME = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?= ))?"
)
_WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
_PRIORITY = re.compile(r"(?:\d{1,7} )?<(\d{1,3})>")  # RFC 6587 puts the length before it
_RFC5424 = re.compile(
    r"1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<program>\S{1,255}) (?P<pid>\S{1,128}) "
    r"(?P<msgid>\S{1,64}) (?=-(?: |$)|\[)"
)
_HEADER = re.compile(
    rf"(?:(?P<sequence>\d{{1,18}}): )?[*.]?(?:{_WEEKDAY})?"
    rf"(?:(?P<bsd>{_BSD_TIME})|(?P<iso>{_ISO_TIME}))(?P<after> ?:)? +"
)
_HOST = re.compile(r"(?P<host>[\w.:%/@-]*[\w%])(?: :(?= %))? +(?=\S)")
# busybox and OpenWrt write the priority as words after the host, or in its place
_NAMED_PRIORITY = re.compile(
    rf"(?P<facility>{'|'.join(FACILITIES)})\.(?P<severity>{'|'.join(SEVERITIES)}|warn|error) +"
)
_TAG = re.compile(
    r"(?P<program>[^\s:\[\]]{1,128})(?:\[(?P<pid>[^\]\s]{0,64})\])?:(?: |$)"
    r"|(?P<named>\w[^\s:\[\]]{0,63}(?: [^\s:\[\]]{1,64}){0,3})\[(?P<named_pid>\d{1,18})\]"
    r"(?::(?: |$)| (?=\())"
    r"|(?P<versioned>[\w.-]{1,64}) (?=\d[\w.]{0,20}: )"
)
# words at the position of a host, in logs that are no syslog
_NO_HOSTS = frozenset(
    (
        *("trace", "debug", "info", "notice", "warn", "warning", "error", "err", "severe", "fatal"),
        *("crit", "critical", "alert", "emerg", "panic", "verbose", "stdout", "stderr"),
    )
)


class NotSyslog(ValueError):
    """The line is no syslog; the text has the reason."""


def parse_line(text: str) -> LineRead:
    """The line's fields, and its time as it is written. Raises NotSyslog."""
    members: Members = {}
    at = 0
    priority = _PRIORITY.match(text)
    if priority is not None:
        number = int(priority[1])
        if number > _PRIORITY_MAX:
            raise NotSyslog(f"<{number}> is no priority: the largest is {_PRIORITY_MAX}")
        members["facility"] = FACILITIES[number >> 3]
        members["severity"] = SEVERITIES[number & 7]
        at = priority.end()
    new = _RFC5424.match(text, at)
    if new is not None:
        return _rfc5424(text, new, members)
    header = _HEADER.match(text, at)
    if header is None:
        if priority is None:
            raise NotSyslog("no syslog header: it begins with neither a time nor a <priority>")
        _add_tagged(text, at, members)  # RFC 3164, 4.3.3: a message without a header
        return LineRead(members)
    if header["sequence"]:
        members["sequence"] = int(header["sequence"])
    _add_named(text, header, members)
    return LineRead(members, header["bsd"] or header["iso"])


def reader_for(head: bytes, options: ReadOptions) -> Reader:
    """Lines; indented ones go on with the one before, or those that `--continuation` names."""
    if options.continuation:
        Given(options.continuation)  # a bad expression is refused before anything is read

    def read(stream: BinaryIO) -> Iterator[Parsed]:
        going_on = Given(options.continuation or r"^[ \t]")
        return read_joined(stream, parse_line, going_on, borders=options.borders)

    return read


def looks_like(text: str) -> bool:
    """Whether the line surely is syslog: with a priority, or a time, a host and a program."""
    try:
        members, time = parse_line(text)
    except ValueError:
        return False
    if "facility" in members:
        return True
    if time is None:
        return False
    host = members.get("host")
    if not isinstance(host, str) or host.lower() in _NO_HOSTS:
        return False
    if time[:1].isalpha():
        return "program" in members or str(members["message"]).startswith(("last message", "-"))
    return "program" in members and ("T" in time or "pid" in members)


def _add_named(text: str, header: re.Match[str], members: Members) -> None:
    """Host, program and message after the time."""
    at = header.end()
    named = _NAMED_PRIORITY.match(text, at)
    if named is None and not header["after"] and not _is_tag(text, at):
        host = _HOST.match(text, at)
        if host is not None:
            members["host"] = host["host"]
            at = host.end()
            named = _NAMED_PRIORITY.match(text, at)
    if named is not None:
        members["facility"] = named["facility"]
        members["severity"] = named["severity"]
        at = named.end()
    _add_tagged(text, at, members)


def _is_tag(text: str, at: int) -> bool:
    """Whether this word is a program and not a host: `prog[12]: text`, `prog: text`."""
    tag = _TAG.match(text, at)
    return tag is not None and tag["program"] is not None


def _add_tagged(text: str, at: int, members: Members) -> None:
    tag = _TAG.match(text, at)
    if tag is not None:
        members["program"] = tag["program"] or tag["named"] or tag["versioned"]
        pid = tag["pid"] or tag["named_pid"]
        if pid:
            members["pid"] = typed(pid)
        at = tag.end()
    members["message"] = text[at:]


def _rfc5424(text: str, head: re.Match[str], members: Members) -> LineRead:
    for name in ("host", "program", "pid", "msgid"):
        if head[name] != "-":
            members[name] = typed(head[name]) if name == "pid" else head[name]
    found, at = structured_data(text, head.end())
    repeats: dict[str, int] = {}
    for name, value in found:
        read = typed(value)
        if read is not None:
            members[unused_name(name, members, repeats)] = read
    if at < len(text):
        members["message"] = text[at:].removeprefix(" ").removeprefix("\ufeff")
    return LineRead(members, None if head["time"] == "-" else head["time"])
