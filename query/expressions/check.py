"""Finds faults of an expression before it is saved or run, each with its place in the text.

Regular expressions are RE2's: what it refuses or would take long to compile is refused here.
"""

from collections.abc import Iterator

from common import limits
from query.expressions.functions import FUNCTIONS, Function
from query.expressions.nodes import Call, Literal, Node
from query.expressions.parser import parse
from query.expressions.time_formats import format_fault
from query.patterns import pattern_fault, pattern_size
from query.tokens.errors import QueryTextError

_UNITS = ("chars", "bytes")


def read_expression(text: str) -> Node:
    """The checked expression. Raises QueryTextError, marked at the fault."""
    node = parse(text)
    check(node, text)
    return node


def check_expression(text: str) -> str | None:
    """The fault of an expression in one line, with its place; None: it has none."""
    try:
        read_expression(text)
    except QueryTextError as error:
        return in_one_line(error)
    return None


def in_one_line(error: QueryTextError) -> str:
    """The fault with the column of its first character, for answers without marks."""
    hint = f" ({error.hint})" if error.hint else ""
    return f"column {error.start + 1}: {error.why}{hint}"


def check(node: Node, text: str, *, with_patterns: bool = True) -> None:
    """Check the calls. text: of which the places of nodes are. Raises QueryTextError.

    with_patterns: whether RE2 is asked about regular expressions, which commands do not have.
    """
    size = chars = 0
    for call in _calls(node):
        function = FUNCTIONS[call.function]
        _check_count(call, function, text)
        for at in (at for at in function.patterns if at < len(call.args)):
            pattern, why = call.args[at], "a regular expression is a literal string"
            value = _literal_text(pattern, text, why)
            size, chars = size + pattern_size(value), chars + len(value)
            _check_size(pattern, size, chars, text)
            fault = pattern_fault(value) if with_patterns else None
            if fault is not None:
                raise _fault(pattern, text, f"this is no regular expression: {fault}")
        for at in (at for at in function.numbers if at < len(call.args)):
            _literal_number(call.args[at], text)
        for at in (at for at in function.texts if at < len(call.args)):
            _literal_text(call.args[at], text, "a literal string stands here")
        _check_values(call, text)


def _calls(node: Node) -> Iterator[Call]:
    if isinstance(node, Call):
        yield node
        for one in node.args:
            yield from _calls(one)


def _check_count(call: Call, function: Function, text: str) -> None:
    given, usage = len(call.args), f"{call.function}({function.usage})"
    if given < function.least:
        why = f"{call.function} takes {function.least} arguments or more, not {given}"
        if function.least == function.most:
            why = f"{call.function} takes {_arguments(function.least)}, not {given}"
        raise _fault(call, text, why, f"usage: {usage}")
    if given > function.most:
        many = _arguments(function.most)
        raise _fault(call.args[function.most], text, f"{call.function} takes {many}, not {given}",
                     f"usage: {usage}")  # fmt: skip


def _arguments(count: int) -> str:
    if count == 0:
        return "no arguments"
    return "one argument" if count == 1 else f"{count} arguments"


def _check_size(pattern: Node, size: int, chars: int, text: str) -> None:
    """Bound what RE2 compiles for one expression, as for the filters of a query."""
    if chars > limits.FILTER_PATTERN_CHARS_MAX:
        most = limits.FILTER_PATTERN_CHARS_MAX
        why = f"the regular expressions of an expression have at most {most:,} characters together"
        raise _fault(pattern, text, why)
    if size > limits.FILTER_PATTERN_SIZE_MAX:
        most = limits.FILTER_PATTERN_SIZE_MAX
        why = f"regular expressions with a size of {size:,} with their repetitions written out;"
        hint = "repeat less, and write [a-z] instead of \\p{L}"
        raise _fault(pattern, text, f"{why} at most {most:,} is allowed", hint)


def _check_values(call: Call, text: str) -> None:
    """Literals that only some values are allowed for."""
    if call.function == "LENGTH" and len(call.args) == 2:
        unit = call.args[1]
        if isinstance(unit, Literal) and unit.value not in _UNITS:
            raise _fault(unit, text, "a length is in chars or bytes", 'write "chars" or "bytes"')
    elif call.function == "FORMAT_TIME":
        form = call.args[0]
        fault = format_fault(str(form.value)) if isinstance(form, Literal) else None
        if fault is not None:
            raise _fault(form, text, *fault)
    elif call.function == "SWITCH":
        for case in call.args[1 : len(call.args) - 1 + len(call.args) % 2 : 2]:
            if not isinstance(case, Literal) or case.value is None:
                hint = "to compare with other fields: IF(EQUALS($x, $y), ..., ...)"
                raise _fault(case, text, "a case of SWITCH is a literal", hint)
    elif call.function == "BUCKET":
        size, *ends = (one.value for one in call.args[1:] if isinstance(one, Literal))
        assert isinstance(size, int | float)
        if size <= 0:
            raise _fault(call.args[1], text, "the size of a bucket is more than 0")
        if len(ends) == 2 and ends[0] >= ends[1]:  # type: ignore[operator] # are numbers
            raise _fault(call.args[3], text, "the most is more than the least")


def _literal_text(node: Node, text: str, why: str) -> str:
    if not isinstance(node, Literal) or not isinstance(node.value, str):
        raise _fault(node, text, why, "write it in backticks or double quotes")
    return node.value


def _literal_number(node: Node, text: str) -> None:
    number = isinstance(node, Literal) and isinstance(node.value, int | float)
    if not number or (isinstance(node, Literal) and isinstance(node.value, bool)):
        raise _fault(node, text, "a literal number stands here", "write it as 10 or 0.5")


def _fault(node: Node, text: str, why: str, hint: str = "") -> QueryTextError:
    return QueryTextError(text, node.start, node.end, why, hint)
