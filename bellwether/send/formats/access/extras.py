"""The fields after an access-log line's number of bytes: referer, user agent, and added fields.

`key=value` keeps its key; the fields of known formats (nginx's own `main`, ingress-nginx, Traefik)
have their names; any other is called after its place: extra_1, extra_2 ...
"""

import re
from typing import NamedTuple

from bellwether.send.event import Members
from bellwether.send.formats.access.front import NotAccessLog
from bellwether.send.formats.access.text import field_text
from bellwether.send.formats.names import unused_name
from bellwether.send.prepare.values import typed

_FIELD = re.compile(
    r'\s+(?:"([^"\\]*(?:\\.[^"\\]*)*)"(?=\s|$)'  # a quoted text
    r"|\[([^\[\]]*)\](?=\s|$)"  # in brackets, as ingress-nginx writes the upstream's name
    r'|([A-Za-z_][\w.-]*)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"(?=\s|$)|([^\s"]*)(?=\s|$))'
    r'|([^\s"\[]\S*))'
)
# a line that was cut off ends within a quoted text
_CUT = re.compile(r'\s+"([^"\\]*(?:\\.[^"\\]*)*)\\?')
_FIELDS_MAX = 64  # no server writes more; bounds what one line may make
_ADDRESSES = re.compile(r"(?:[0-9A-Fa-f.:]{3,45}|unknown)(?:,\s*(?:[0-9A-Fa-f.:]{3,45}|unknown))*")
# ingress-nginx's default: 1 and 2 numbers, two names in brackets, then the upstream's story
_INGRESS = (
    *("request_length", "request_time", "proxy_upstream_name", "proxy_alternative_upstream_name"),
    *("upstream_addr", "upstream_response_length", "upstream_response_time", "upstream_status"),
    "req_id",
)
_TRAEFIK = ("request_count", "router", "backend", "duration")
_DURATION_MS = re.compile(r"\d+ms")


class _Field(NamedTuple):
    kind: str  # quoted, cut (its end is missing), bracketed, bare, or "=" and key=value's key
    text: str


def add_extras(text: str, members: Members) -> None:
    """Add the fields of what follows the number of bytes. Raises NotAccessLog."""
    fields = _split(text.rstrip())
    kinds = [field.kind for field in fields[:2]]
    if kinds in (["quoted", "quoted"], ["quoted", "cut"]):
        _put(members, "referer", field_text(fields[0].text))
        _put(members, "user_agent", field_text(fields[1].text))
        fields = fields[2:]
    elif kinds == ["cut"] or (kinds == ["quoted"] and fields[0].text.startswith(("http", "-"))):
        _put(members, "referer", field_text(fields[0].text))
        return
    names = _names(fields)
    for field, name in zip(fields, names, strict=True):
        value = field_text(field.text)
        if value is not None:
            is_text = field.kind in ("quoted", "cut", "bracketed")
            _put(members, unused_name(name, members), value if is_text else typed(value))


def _put(members: Members, name: str, value: object) -> None:
    if value is not None:
        members[name] = value


def _split(text: str) -> list[_Field]:
    fields: list[_Field] = []
    at = 0
    while at < len(text):
        found = _FIELD.match(text, at)
        if found is None:
            cut = _CUT.fullmatch(text, at)
            if cut is None:
                raise NotAccessLog("a quoted text after the number of bytes does not end")
            fields.append(_Field("cut", cut[1]))
            break
        quoted, bracketed, key, of_key_quoted, of_key, bare = found.groups()
        if key is not None:
            fields.append(_Field(f"={key}", of_key_quoted if of_key is None else of_key))
        elif quoted is not None:
            fields.append(_Field("quoted", quoted))
        elif bracketed is not None:
            fields.append(_Field("bracketed", bracketed))
        else:
            fields.append(_Field("bare", bare))
        if len(fields) > _FIELDS_MAX:
            raise NotAccessLog(f"more than {_FIELDS_MAX} fields after the number of bytes")
        at = found.end()
    return fields


def _names(fields: list[_Field]) -> list[str]:
    """A name for each added field."""
    kinds = [field.kind for field in fields]
    if kinds[:4] == ["bare", "bare", "bracketed", "bracketed"] and len(fields) == len(_INGRESS):
        return list(_INGRESS)
    if kinds == ["bare", "quoted", "quoted", "bare"] and _DURATION_MS.fullmatch(fields[3].text):
        return list(_TRAEFIK)
    if kinds == ["quoted"] and _ADDRESSES.fullmatch(fields[0].text):
        return ["forwarded_for"]
    return [
        field.kind[1:] if field.kind.startswith("=") else f"extra_{number}"
        for number, field in enumerate(fields, 1)
    ]
