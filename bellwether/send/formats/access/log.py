"""Access logs of Apache, nginx and others: common, combined, and both with a virtual host in front.

Fields: vhost, vhost_port, forwarded_for, remote_host, remote_port, ident, user, method, url,
protocol, status, bytes, referer, user_agent, and what follows (access_extras). A request that is
no HTTP request line (probes, binary rubbish, time-outs) is kept as `request`. A `-` means that the
field is absent. A line that does not fit is refused with the reason; no field is ever shifted.
"""

import re

from bellwether.send.event import LineRead, Members
from bellwether.send.formats.access.extras import add_extras
from bellwether.send.formats.access.front import NotAccessLog, add_front
from bellwether.send.formats.access.text import unescape

# The dates that surely are those of an access log: Apache's and nginx's own, nginx's
# $time_iso8601 and $msec. Others in brackets are read if --format names this format.
_CLF = r"\d\d?/[A-Za-z]{3}/\d{4}[: ]\d\d?:\d\d:\d\d(?:[.,:]\d{1,9})?(?: ?(?:[+-]\d{4}|Z))?"
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:[+-]\d\d:?\d\d|Z))?"
_SURE_DATE = re.compile(rf"{_CLF}|{_ISO}|\d{{10}}(?:\.\d{{1,9}})?|\d{{13}}")
# most lines of most logs, in one step: no escapes, no ident, an HTTP request
_PLAIN = re.compile(
    r"([0-9A-Za-z_.-]+|[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*) - ([^\s\"\\,]+) "
    r"\[([0-9]{1,2}/[A-Za-z]+/[0-9:.]+ [+-][0-9]+)\] "
    r'"([A-Z]+) ([^\s"\\]+) (HTTP/[0-9.]+)" ([0-9]{3}) ([0-9]{1,18}|-)'
    r'(?: "([^"\\]*)" "([^"\\]*)")?'
)
_DATE = re.compile(r' ?\[([^\[\]"]{0,60}\d[^\[\]"]{0,60})\] +(?=")')
_REQUEST_FIELD = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"(?= )')
_STATUS = re.compile(r" ([0-9]{3}|-) ([0-9]{1,18}|-)(?= |$)")
# a server that does not escape quotes: the request ends where status and bytes follow
_UNESCAPED_END = re.compile(r'" (?:[0-9]{3}|-) (?:[0-9]{1,18}|-)(?= |$)')
_REQUEST = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (.*?)(?: (HTTP/\d(?:\.\d)?))?", re.DOTALL)


def parse_line(text: str) -> LineRead:
    """The line's fields, and its date as it is written. Raises NotAccessLog."""
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return _parse(text.strip(), vhost=False)
    host, user, date, method, url, protocol, status, size, referer, agent = plain.groups()
    if user == "-":
        members: Members = {
            "remote_host": host, "method": method, "url": url,
            "protocol": protocol, "status": int(status),
        }  # fmt: skip
    else:
        members = {
            "remote_host": host, "user": user, "method": method, "url": url,
            "protocol": protocol, "status": int(status),
        }  # fmt: skip
    if host == "-":
        del members["remote_host"]
    if size != "-":
        members["bytes"] = int(size)
    if referer and referer != "-":
        members["referer"] = referer
    if agent and agent != "-":
        members["user_agent"] = agent
    return LineRead(members, date)


def parse_vhost_line(text: str) -> LineRead:
    """The same where every line surely begins with the virtual host. Raises NotAccessLog."""
    return _parse(text.strip(), vhost=True)


def looks_like(text: str) -> bool:
    """Whether the line surely is one of an access log."""
    if _PLAIN.fullmatch(text):
        return True
    try:
        return _SURE_DATE.fullmatch(_parse(text.strip(), vhost=False).time or "") is not None
    except NotAccessLog:
        return False


def _parse(text: str, vhost: bool) -> LineRead:
    """Part by part: what a line may hold beside what _PLAIN has."""
    date = _DATE.search(text)
    if date is None:
        raise NotAccessLog("no date in brackets with the quoted request after it")
    members: Members = {}
    add_front(text[: date.start()], vhost, members)
    request, at = _request(text, date.end())
    _add_request(unescape(request), members)
    status = _STATUS.match(text, at)
    if status is None:
        raise NotAccessLog("the request is not followed by a status and a number of bytes")
    if status[1] != "-":
        members["status"] = int(status[1])
    if status[2] != "-":
        members["bytes"] = int(status[2])
    if status.end() < len(text):
        add_extras(text[status.end() :], members)
    return LineRead(members, date[1].strip())


def _request(text: str, at: int) -> tuple[str, int]:
    """The request as it is written, and where it ends."""
    found = _REQUEST_FIELD.match(text, at)
    if found is not None and _STATUS.match(text, found.end()):
        return found[1], found.end()
    ends = list(_UNESCAPED_END.finditer(text, at + 1))
    if len(ends) == 1:
        return text[at + 1 : ends[0].start()], ends[0].start() + 1
    if ends:
        raise NotAccessLog("quotes in the request are not escaped: where it ends cannot be told")
    if found is None:
        raise NotAccessLog("the line ends within its request")
    return found[1], found.end()


def _add_request(request: str, members: Members) -> None:
    parts = _REQUEST.fullmatch(request)
    if parts is not None and (parts[3] or parts[1].isupper()):
        members["method"], members["url"] = parts[1], parts[2]
        if parts[3]:
            members["protocol"] = parts[3]
    elif request not in ("", "-"):
        members["request"] = request
