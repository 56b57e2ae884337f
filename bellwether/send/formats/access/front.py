"""The fields before an access-log line's date: virtual host, forwarders, host, ident, user.

The common format is `host ident user`. Before it there may be the virtual host (`%v` or `%v:%p`)
or the addresses of forwarders (`%{X-Forwarded-For}i`); in the host's place there may be a list of
those. A user may hold blanks. Where two readings are possible the line is refused.
"""

import re

from bellwether.send.event import Members
from bellwether.send.formats.access.text import unescape


class NotAccessLog(ValueError):
    """The line is not in a known access-log format. The message states the cause."""


# a word, a quoted text, or a list with commas (with or without blanks after them)
_PIECE = re.compile(r'"[^"]*"|[^\s,]+(?:\s*,\s*[^\s,]+)*')
_IPV4 = r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
_IPV6 = r"[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[\w.]+)?"
_ADDRESS = re.compile(rf"{_IPV4}(?::\d+)?|{_IPV6}|\[{_IPV6}\](?::\d+)?|unix:")
_ADDRESS_PORT = re.compile(rf"({_IPV4}|\[{_IPV6}\]):(\d+)")
_NAME_PORT = re.compile(rf"([\w.*-]+|{_IPV4}|\[{_IPV6}\]):(\d{{1,5}})")
_PIECES_MAX = 64  # words of a user's name and addresses of a list; more are no such line


def add_front(front: str, vhost: bool, members: Members) -> None:
    """Add the fields of the text before the date. vhost: its first word is the virtual host.

    Raises NotAccessLog.
    """
    found: list[re.Match[str]] = []
    for piece in _PIECE.finditer(front):
        if len(found) == _PIECES_MAX:
            raise NotAccessLog("too many words before the date")
        found.append(piece)
    words = [piece[0] for piece in found]
    host = _host_index(words, vhost, front)
    for word in words[:host]:
        _add_first(word, vhost, members)
    _add_host(words[host], members)
    has_ident = host + 2 < len(words) or (host + 2 == len(words) and words[host + 1] == "-")
    user = host + 1
    if has_ident:
        if words[host + 1] not in ("-", '""'):
            members["ident"] = unescape(words[host + 1].strip('"'))
        user += 1
    if user < len(words):
        text = front[found[user].start() :].strip()
        if len(text) > 1 and text[0] == text[-1] == '"':
            text = text[1:-1].strip()
        if text not in ("", "-"):
            members["user"] = unescape(text)


def _host_index(words: list[str], vhost: bool, front: str) -> int:
    """Which word is the host (%h). Raises NotAccessLog where it is ambiguous."""
    count = len(words)
    if count < 3 and not (count == 2 and words[1] == "-" and front.endswith(" ")):
        raise NotAccessLog("host, ident and user are expected before the date")
    if vhost:
        if count < 4:
            raise NotAccessLog("virtual host, host, ident and user are expected before the date")
        return 2 if count > 4 and _is_address(words[1]) and _is_address(words[2]) else 1
    first, second = words[0], words[1]
    if _is_address(second):
        if count > 4 and _is_address(words[2]) and not _is_address(words[3]):
            return 2
        return 1
    if _NAME_PORT.fullmatch(first) and not (_ADDRESS_PORT.fullmatch(first) and second == "-"):
        if count < 4:
            raise NotAccessLog("no remote host after the virtual host")
        return 1
    if second == "-":
        if count > 3 and words[2] == "-":
            raise NotAccessLog("more words than host, ident and user before the date")
        return 0
    if count == 3:
        return 0
    if words[2] == "-" and not _is_address(first):
        return 1
    raise NotAccessLog("which words before the date are host, ident and user cannot be told")


def _is_address(word: str) -> bool:
    """Whether it is an address, or a list with at least one."""
    if "," in word:
        return any(_ADDRESS.fullmatch(part.strip()) for part in word.strip('"').split(","))
    return _ADDRESS.fullmatch(word.strip('"')) is not None


def _add_first(word: str, vhost: bool, members: Members) -> None:
    """A word before the host: the virtual host or forwarders."""
    word = word.strip('"').strip()
    if word in ("", "-"):
        return
    is_first = not members
    named = _NAME_PORT.fullmatch(word)
    if is_first and named is not None:
        members["vhost"], members["vhost_port"] = named[1].strip("[]"), int(named[2])
    elif is_first and (vhost or not (_is_address(word) or "," in word)):
        members["vhost"] = word
    else:
        members["forwarded_for"] = word


def _add_host(word: str, members: Members) -> None:
    word = word.strip('"').strip()
    if "," in word:
        parts = [part.strip() for part in word.split(",")]
        before = members.get("forwarded_for")
        members["forwarded_for"] = f"{before}, {word}" if before else word
        real = (part for part in parts if _ADDRESS.fullmatch(part))
        word = next(real, parts[0])
    with_port = _ADDRESS_PORT.fullmatch(word)
    if with_port is not None:
        members["remote_host"] = with_port[1].strip("[]")
        members["remote_port"] = int(with_port[2])
    elif word not in ("", "-"):
        members["remote_host"] = word
