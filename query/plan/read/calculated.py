"""Reads the calculated fields of a specification, each with a name and an expression."""

from typing import Any

from common import limits
from query.expressions.check import check_expression
from query.faults import SpecError
from query.plan.calculated import UseFault, in_order_of_use
from query.plan.plan import CalculatedField
from query.plan.read.checks import column_of, items_of, object_of


def read_calculated(spec: dict[str, Any]) -> tuple[CalculatedField, ...]:
    """The calculated fields. Raises SpecError, with the place of a fault in the expression."""
    found = tuple(items_of(spec, "calculated_fields", _field))
    names = [one.name for one in found]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise SpecError(f"calculated_fields[{at}].name", "invalid", f"{name} is there twice")
    try:
        in_order_of_use(names, {one.name: one.expression for one in found})
    except UseFault as error:
        raise SpecError("calculated_fields", "invalid", str(error)) from error
    return found


def _field(value: object, at: str) -> CalculatedField:
    item = object_of(value, at)
    for member in item:
        if member not in ("name", "expression"):
            raise SpecError(
                f"{at}.{member}", "invalid", "is not known here; known: name, expression"
            )
    name = item.get("name")
    if name is None or name == "":
        raise SpecError(f"{at}.name", "missing", "cannot be blank")
    name = column_of(name, f"{at}.name")
    if len(name) > limits.COLUMN_TEXT_CHARS_MAX:
        most = limits.COLUMN_TEXT_CHARS_MAX
        raise SpecError(f"{at}.name", "invalid", f"has more than {most} characters")
    expression = item.get("expression")
    if expression is None or expression == "":
        raise SpecError(f"{at}.expression", "missing", "cannot be blank")
    if not isinstance(expression, str):
        raise SpecError(f"{at}.expression", "incorrect_type", "must be a string")
    fault = check_expression(expression)
    if fault is not None:
        raise SpecError(f"{at}.expression", "invalid", fault)
    return CalculatedField(name, expression)
