"""Compiles the nodes of checked expressions to SQL, of which each node is compiled once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from query.expressions.nodes import Call, Column, Literal, Node
from query.expressions.sql import arithmetic, compare, texts, times
from query.expressions.sql.builder import Builder, Sql
from query.expressions.sql.values import (
    INT,
    STRING,
    Typed,
    bound,
    chosen,
    condition,
    present,
    span_of,
    truth,
    typed_literal,
)

Args = Sequence[Typed]
_ABSENT: Final = typed_literal(None)


class Compiler:
    """Compiles expressions over the same rows."""

    def __init__(
        self, builder: Builder, fields: Mapping[str, Typed], time_ns: Sql | None = None
    ) -> None:
        """fields: those that the expressions name; others are absent.

        time_ns: SQL BIGINT of the event's time; None: the rows are no events, and no expression
        asks for it.
        """
        self._b = builder
        self._fields = fields
        self._time_ns = time_ns

    def compile(self, node: Node) -> Typed:
        """The value of a checked expression. Raises Unprocessable if it takes too many layers."""
        if isinstance(node, Literal):
            return typed_literal(node.value)
        if isinstance(node, Column):
            return self._fields.get(node.name, _ABSENT)
        args = [self.compile(one) for one in node.args]
        if node.function in _OF_EVENT:
            assert self._time_ns is not None
            return _OF_EVENT[node.function](self._b, self._time_ns)
        return _FUNCTIONS[node.function](self._b, args)


def functions_of_events(node: Node) -> list[Call]:
    """The calls that only events have an answer to."""
    if not isinstance(node, Call):
        return []
    found = [node] if node.function in _OF_EVENT else []
    return found + [call for one in node.args for call in functions_of_events(one)]


def _if(b: Builder, args: Args) -> Typed:
    whens = [(truth(b, args[at]), args[at + 1]) for at in range(0, len(args) - 1, 2)]
    return chosen(b, whens, args[-1] if len(args) % 2 else _ABSENT)


def _coalesce(b: Builder, args: Args) -> Typed:
    """The first value that is not absent and not the empty string."""
    held = _up_to_certain([_without_empty(b, one) for one in args])
    kinds = {kind for one in held for kind in one.parts}
    if len(kinds) == 1:
        kind = kinds.pop()
        parts = [one.parts[kind] for one in held if kind in one.parts]
        found = parts[0] if len(parts) == 1 else b.call("coalesce", parts)
        span = span_of(one for one in held if INT in one.parts)
        return Typed({kind: found}, any(one.certain for one in held), span=span)
    held = [bound(b, one) for one in held]
    made = chosen(b, [(present(b, one), one) for one in held], _ABSENT)
    return replace(made, certain=any(one.certain for one in held))


def _up_to_certain(values: Args) -> Args:
    """The values up to the first that each row has: no later one is ever used."""
    at = next((at for at, one in enumerate(values) if one.certain), len(values))
    return values[: at + 1]


def _without_empty(b: Builder, value: Typed) -> Typed:
    if STRING not in value.parts:
        return value
    if value.is_literal:
        return value if value.literal else _ABSENT
    parts = {**value.parts, STRING: b.sql("nullif({}, '')", value.parts[STRING])}
    return Typed(parts)


def _joined(operator: str) -> Callable[[Builder, Args], Typed]:
    def joined(b: Builder, args: Args) -> Typed:
        return condition(b.join(operator, [truth(b, one) for one in args]))

    return joined


def _ordered(operator: str) -> Callable[[Builder, Args], Typed]:
    return lambda b, args: condition(compare.ordered(b, operator, args[0], args[1]))


def _combined(function: str) -> Callable[[Builder, Args], Typed]:
    return lambda b, args: arithmetic.combined(b, function, args)


def _tested(function: str) -> Callable[[Builder, Args], Typed]:
    return lambda b, args: texts.tested(b, function, args[0], args[1])


_OF_EVENT: Final[Mapping[str, Callable[[Builder, Sql], Typed]]] = {
    "EVENT_TIMESTAMP": times.event_timestamp,
    "RAND": times.random,
}
_FUNCTIONS: Final[Mapping[str, Callable[[Builder, Args], Typed]]] = {
    "IF": _if,
    "SWITCH": compare.switch,
    "COALESCE": _coalesce,
    "LT": _ordered("<"),
    "LTE": _ordered("<="),
    "GT": _ordered(">"),
    "GTE": _ordered(">="),
    "EQUALS": lambda b, args: condition(compare.equal(b, args[0], args[1])),
    "IN": compare.one_of,
    "EXISTS": lambda b, args: condition(present(b, args[0])),
    "NOT": lambda b, args: condition(b.sql("(NOT {})", truth(b, args[0]))),
    "AND": _joined(" AND "),
    "OR": _joined(" OR "),
    "MIN": lambda b, args: compare.extreme(b, args, least=True),
    "MAX": lambda b, args: compare.extreme(b, args, least=False),
    "SUM": _combined("SUM"),
    "SUB": _combined("SUB"),
    "MUL": _combined("MUL"),
    "DIV": lambda b, args: arithmetic.divided(b, args[0], args[1]),
    "MOD": lambda b, args: arithmetic.remainder(b, args[0], args[1]),
    "LOG10": lambda b, args: arithmetic.logarithm(b, args[0]),
    "BUCKET": arithmetic.bucket,
    "INT": lambda b, args: arithmetic.as_whole(b, args[0]),
    "FLOAT": lambda b, args: arithmetic.as_real(b, args[0]),
    "BOOL": lambda b, args: condition(truth(b, args[0])),
    "STRING": lambda b, args: texts.as_text(b, args[0]),
    "CONCAT": texts.concatenated,
    "STARTS_WITH": _tested("STARTS_WITH"),
    "ENDS_WITH": _tested("ENDS_WITH"),
    "CONTAINS": _tested("CONTAINS"),
    "TO_LOWER": lambda b, args: texts.lower(b, args[0]),
    "LENGTH": texts.length,
    "REG_MATCH": lambda b, args: texts.matched(b, args[0], args[1]),
    "REG_VALUE": lambda b, args: texts.extracted(b, args[0], args[1]),
    "REG_COUNT": lambda b, args: texts.counted(b, args[0], args[1]),
    "UNIX_TIMESTAMP": lambda b, args: times.unix_timestamp(b, args[0]),
    "FORMAT_TIME": lambda b, args: times.formatted(b, args[0], args[1]),
    "METRO_HASH": lambda b, args: texts.hashed(b, args[0]),
}
