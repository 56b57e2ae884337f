"""Error logs of Apache (2.2 and 2.4) and nginx.

Fields: level, module, pid, tid, error (the system's, as `(13)Permission denied`), client,
client_port, code (AH00124), message, referer; for nginx also connection, server, request,
upstream, host, referrer.
"""

import re

from bellwether.send.event import LineRead, Members
from bellwether.send.formats.names import unused_name
from bellwether.send.prepare.values import typed

_APACHE_TIME = (
    r"[A-Za-z]{3} [A-Za-z]{3} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4}"
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: ?(?:[+-]\d\d:?\d\d|Z))?"
)
_LEVELS = r"emerg|alert|crit|error|warn|notice|info|debug|trace[1-8]"
_APACHE = re.compile(
    rf"\[(?P<time>{_APACHE_TIME})\] "
    rf"(?:\[(?:(?P<module>[\w.-]*):)?(?P<level>{_LEVELS})\] ?)"
    r"(?:\[pid (?P<pid>\d{1,18})(?:: ?tid (?P<tid>\d{1,18}))?\] ?)?"
    r"(?P<rest>.*)",
    re.DOTALL,
)
# the system's error is before the client (2.4) or nowhere
_CLIENT = re.compile(
    r"(?P<error>\(\w+\)[^:\[]{1,200}: )?"
    r"\[(?:client|remote) (?P<client>[^\]\s]{1,100})\] ?"
)
_CODE = re.compile(r"(AH\d{5}): ")
_REFERER = re.compile(r", referer: (\S+)$")
_V4_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+|\[[0-9A-Fa-f:.%]+\]):(\d{1,5})")
_V6_PORT = re.compile(r"([0-9A-Fa-f:]+:[0-9A-Fa-f]+):(\d{1,5})")
_NGINX = re.compile(
    r"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>emerg|alert|crit|error|warn|notice|info|"
    r"debug)\] (?P<pid>\d{1,18})#(?P<tid>\d{1,18}): (?:\*(?P<connection>\d{1,18}) )?(?P<rest>.*)",
    re.DOTALL,
)
# nginx adds these in this order, each only where it has it
_NGINX_CONTEXT = re.compile(
    r"(?P<message>.*?), client: (?P<client>[^,]*)(?:, server: (?P<server>[^,]*))?"
    r'(?:, request: "(?P<request>[^"]*)")?(?:, subrequest: "(?P<subrequest>[^"]*)")?'
    r'(?:, upstream: "(?P<upstream>[^"]*)")?(?:, host: "(?P<host>[^"]*)")?'
    r'(?:, referrer: "(?P<referrer>[^"]*)")?',
    re.DOTALL,
)


class NotErrorLog(ValueError):
    """The line is not in a known error-log format."""


def parse_apache(text: str) -> LineRead:
    """One line of Apache's error log. Raises NotErrorLog."""
    found = _APACHE.fullmatch(text)
    if found is None:
        raise NotErrorLog("no [date] [module:level] of an Apache error log")
    members: Members = {"level": found["level"]}
    if found["module"]:
        members["module"] = found["module"]
    for name in ("pid", "tid"):
        if found[name]:
            members[name] = typed(found[name])
    rest = found["rest"]
    client = _CLIENT.match(rest)
    if client is not None:
        if client["error"]:
            members["error"] = client["error"].removesuffix(": ")
        _add_client(client["client"], members)
        rest = rest[client.end() :]
    code = _CODE.match(rest)
    if code is not None:
        members["code"] = code[1]
        rest = rest[code.end() :]
    members["message"] = rest
    referer = _REFERER.search(rest)
    if referer is not None:
        members["referer"] = referer[1]
    return LineRead(members, found["time"])


def looks_like_apache(text: str) -> bool:
    """Whether the line surely is one of Apache's error log."""
    return _APACHE.fullmatch(text) is not None


def parse_nginx(text: str) -> LineRead:
    """One line of nginx's error log. Raises NotErrorLog."""
    found = _NGINX.fullmatch(text)
    if found is None:
        raise NotErrorLog("no date, [level] and pid#tid of an nginx error log")
    members: Members = {"level": found["level"]}
    for name in ("pid", "tid", "connection"):
        if found[name]:
            members[name] = typed(found[name])
    rest = found["rest"]
    context = _NGINX_CONTEXT.fullmatch(rest)
    if context is None:
        members["message"] = rest
        return LineRead(members, found["time"])
    members["message"] = context["message"]
    for name, value in context.groupdict().items():
        if value and name != "message":
            members[unused_name(name, members)] = value
    return LineRead(members, found["time"])


def looks_like_nginx(text: str) -> bool:
    """Whether the line surely is one of nginx's error log."""
    return _NGINX.fullmatch(text) is not None


def _add_client(text: str, members: Members) -> None:
    with_port = _V4_PORT.fullmatch(text)
    if with_port is None and text.count(":") == 8:  # Apache writes IPv6 addresses without brackets
        with_port = _V6_PORT.fullmatch(text)
    if with_port is None:
        members["client"] = text
    else:
        members["client"] = with_port[1].strip("[]")
        members["client_port"] = int(with_port[2])
