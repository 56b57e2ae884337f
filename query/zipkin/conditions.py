"""Zipkin's search parameters as conditions on spans.

A trace qualifies if one of its spans has the service, name, remote service and duration, and if
each term of `annotationQuery` holds of a span or an annotation of that service. A term is
`key=value`, a tag; or a word: a tag of that name, or an annotation of that text.
"""

import re
from collections.abc import Mapping
from typing import Final

from multidict import MultiMapping

from query.faults import SpecError
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import DEFAULT_NAMES
from query.plan.relations import About, RelatedConditions
from query.zipkin.request import read_number

REMOTE: Final = "peer.service"
_TERMS: Final = (About.ANY, About.ANY2, About.ANY3)
_AND: Final = re.compile(r"\s+and\s+")
_TEXT_CHARS_MAX: Final = 4_096
_US_PER_MS: Final = 1_000
_STATUS_ERROR: Final = 2
_ERROR, _MESSAGE = "error", "status_message"
# What the parameters of Zipkin's page have where nothing is chosen.
_ALL: Final = ("", "all")


def read_conditions(given: MultiMapping[str]) -> RelatedConditions:
    """The conditions of a search. Raises SpecError."""
    service = read_service(given)
    own = of_service(service)
    name, remote = _chosen(given, "spanName"), _chosen(given, "remoteServiceName")
    if name:
        own += (_has(DEFAULT_NAMES.name, name),)
    if remote:
        own += (Filter(REMOTE, FilterOp.EQ, (remote,)),)
    for parameter, op in (("minDuration", FilterOp.GE), ("maxDuration", FilterOp.LE)):
        duration_us = read_number(given, parameter)
        if duration_us is not None:
            fields = DEFAULT_NAMES.duration_ms
            inside = tuple(Filter(field, op, (duration_us / _US_PER_MS,)) for field in fields)
            own += (_any_of(inside),)
    if own:
        own += _is_span()
    by_span: dict[About, tuple[Filter, ...]] = {About.OWN: own} if own else {}
    terms = [term for term in _AND.split(given.get("annotationQuery", "").strip()) if term]
    if len(terms) > len(_TERMS):
        raise SpecError("annotationQuery", "invalid", f"has more than {len(_TERMS)} terms")
    for about, term in zip(_TERMS, terms, strict=False):
        by_span[about] = (*of_service(service), _term(term))
    return RelatedConditions(by_span)


def read_service(given: MultiMapping[str]) -> str:
    """The parameter `serviceName`; empty if it is not given. Raises SpecError."""
    return _chosen(given, "serviceName")


def of_service(service: str) -> tuple[Filter, ...]:
    """That an event is of a service; nothing if none is named."""
    return (_has(DEFAULT_NAMES.service, service),) if service else ()


def _chosen(given: Mapping[str, str], name: str) -> str:
    text = given.get(name, "").strip()
    if len(text) > _TEXT_CHARS_MAX:
        raise SpecError(name, "invalid", f"has more than {_TEXT_CHARS_MAX} characters")
    return "" if text in _ALL else text


def _is_span() -> tuple[Filter, ...]:
    return tuple(Filter(field, FilterOp.NOT_EXISTS) for field in DEFAULT_NAMES.annotation)


def _term(text: str) -> Filter:
    if len(text) > _TEXT_CHARS_MAX:
        raise SpecError("annotationQuery", "invalid", "has a term that is too long")
    key, has_value, value = (part.strip() for part in text.partition("="))
    if has_value:
        field = _MESSAGE if key == _ERROR else key
        return Filter(field, FilterOp.EQ, (value,))
    if key == _ERROR:
        has_failed = Filter(_ERROR, FilterOp.NOT_IN, (False, "false", "0", ""))
        by_error = Filter("", FilterOp.ALL_OF, (), (Filter(_ERROR, FilterOp.EXISTS), has_failed))
        by_status = Filter(DEFAULT_NAMES.status[0], FilterOp.EQ, (_STATUS_ERROR,))
        return _any_of((by_error, by_status, _annotation(key)))
    return _any_of((Filter(key, FilterOp.EXISTS), _annotation(key)))


def _annotation(text: str) -> Filter:
    of_event = Filter(DEFAULT_NAMES.annotation[0], FilterOp.EXISTS)
    named = Filter(DEFAULT_NAMES.name[0], FilterOp.EQ, (text,))
    return Filter("", FilterOp.ALL_OF, (), (of_event, named))


def _has(fields: tuple[str, ...], value: str) -> Filter:
    return _any_of(tuple(Filter(field, FilterOp.EQ, (value,)) for field in fields))


def _any_of(inside: tuple[Filter, ...]) -> Filter:
    return inside[0] if len(inside) == 1 else Filter("", FilterOp.ANY_OF, (), inside)
