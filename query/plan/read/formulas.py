"""Reads the formulas of a query specification: expressions over its calculations by label."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from common import limits
from query.expressions.check import in_one_line, read_expression
from query.expressions.nodes import Call, Node, columns_of
from query.faults import SpecError
from query.plan.read.checks import column_of, items_of, object_of
from query.plan.spec import Calculation, Formula
from query.tokens.errors import QueryTextError
from query.tokens.near import near_words

_KNOWN = ("name", "expression")
_OF_EVENTS = ("EVENT_TIMESTAMP", "RAND")  # functions of which a row of an answer has no value
_LISTED_MAX = 10  # labels in an error


def read_formulas(
    spec: dict[str, Any], calculations: Sequence[Calculation], breakdowns: Sequence[str]
) -> tuple[Formula, ...]:
    """The formulas, each of which may use those before it. Raises SpecError."""
    depths = {c.label: 0 for c in calculations if c.op != "HEATMAP"}
    taken = {c.label for c in calculations} | set(breakdowns)

    def read(value: object, at: str) -> Formula:
        formula, depth = _formula(value, at, depths)
        if formula.name in taken:
            why = f"{formula.name} is a calculation, breakdown or formula already"
            raise SpecError(f"{at}.name", "invalid", why)
        taken.add(formula.name)
        depths[formula.name] = depth
        return formula

    return tuple(items_of(spec, "formulas", read))


def _formula(value: object, at: str, depths: Mapping[str, int]) -> tuple[Formula, int]:
    """(the formula, how many formulas use each other in it). depths: of what it may use."""
    item = object_of(value, at)
    for key in item:
        if key not in _KNOWN:
            raise SpecError(
                f"{at}.{key[:100]}", "invalid", "a formula has a name and an expression"
            )
    for key in _KNOWN:
        if item.get(key) in (None, ""):
            raise SpecError(f"{at}.{key}", "missing", "cannot be blank")
    name, text = column_of(item["name"], f"{at}.name"), item["expression"]
    if len(name) > limits.COLUMN_TEXT_CHARS_MAX:
        most = limits.COLUMN_TEXT_CHARS_MAX
        raise SpecError(f"{at}.name", "invalid", f"is longer than {most} characters")
    if not isinstance(text, str):
        raise SpecError(f"{at}.expression", "incorrect_type", "must be an expression, a string")
    try:
        node = check_formula(text, depths)
    except QueryTextError as error:
        raise SpecError(f"{at}.expression", "invalid", in_one_line(error)) from error
    depth = 1 + max((depths[column.name] for column in columns_of(node)), default=0)
    if depth > limits.FORMULA_DEPTH_MAX:
        why = f"at most {limits.FORMULA_DEPTH_MAX} formulas use each other"
        raise SpecError(f"{at}.expression", "invalid", why)
    return Formula(name, text), depth


def check_formula(text: str, labels: Collection[str]) -> Node:
    """The nodes of a formula. labels: that it may use. Raises QueryTextError, marked at a fault."""
    node = read_expression(text)
    for column in columns_of(node):
        if column.name not in labels:
            why = f"`{column.name[:60]}` is not a calculation of this query that is a number"
            raise QueryTextError(text, column.start, column.end, why, _hint(column.name, labels))
    for call in _calls(node):
        if call.function in _OF_EVENTS:
            why = f"{call.function} is of an event, and a formula is of the rows of an answer"
            raise QueryTextError(text, call.start, call.end, why)
    return node


def _hint(name: str, labels: Collection[str]) -> str:
    if any(sign in name for sign in "+-/"):
        return "blanks stand around an operator: $a / $b"
    near = near_words(name, sorted(labels))
    if near:
        return f"did you mean {near[0]}?"
    return f"known: {', '.join(sorted(labels)[:_LISTED_MAX])}"


def _calls(node: Node) -> list[Call]:
    if not isinstance(node, Call):
        return []
    return [node, *(call for one in node.args for call in _calls(one))]
