"""The values of calculations and formulas over merged cells, each computed once."""

import numpy as np

from query.plan.plan import Plan, State
from query.plan.spec import QuerySpec
from query.results.calculations.heatmap import Heat
from query.results.formulas.evaluate import FormulaValues, formula_values
from query.results.merge.merge import Merged
from query.results.rows.values import Shown, Values, calculated, empty_value, shown_values


class Measures:
    """By index: the calculations, then the formulas, as `QuerySpec.measures` has them."""

    def __init__(self, spec: QuerySpec, plan: Plan, merged: Merged) -> None:
        self._spec = spec
        self._plan = plan
        self._merged = merged
        self._numbers: dict[int, Values] = {}
        self._formulas: dict[str, FormulaValues] | None = None

    def number(self, index: int) -> Values:
        """As numbers, by which rows are ordered and compared."""
        calculations = self._spec.calculations
        if index >= len(calculations):
            return self._computed()[self._spec.formulas[index - len(calculations)].name].ordered
        if index not in self._numbers:
            self._numbers[index] = calculated(self._plan, self._merged, calculations[index])
        return self._numbers[index]

    def shown(self) -> dict[str, Values | Heat | FormulaValues]:
        """As rows have them, by label; without hidden ones."""
        found: dict[str, Values | Heat | FormulaValues] = {}
        for index, calculation in enumerate(self._spec.calculations):
            if calculation.hidden:
                continue
            if calculation.need.state is State.HEATMAP:
                found[calculation.label] = shown_values(self._plan, self._merged, calculation)
            else:
                found[calculation.label] = self.number(index)
        return found | self._computed()

    def _computed(self) -> dict[str, FormulaValues]:
        if self._formulas is None:
            spec = self._spec
            known = {
                calculation.label: self.number(index)
                for index, calculation in enumerate(spec.calculations)
                if spec.formulas and calculation.need.state is not State.HEATMAP
            }
            cells = self._merged.cells
            self._formulas = formula_values(spec.formulas, known, cells) if spec.formulas else {}
        return self._formulas


def empty_row(spec: QuerySpec) -> dict[str, Shown]:
    """The row of a step without events."""
    row = {c.label: empty_value(c) for c in spec.calculations if not c.hidden}
    if not spec.formulas:
        return row
    known = {c.label: _one(empty_value(c)) for c in spec.calculations if c.op != "HEATMAP"}
    found = formula_values(spec.formulas, known, 1)
    return row | {name: values.shown(np.zeros(1, np.int64))[0] for name, values in found.items()}


def _one(value: Shown) -> Values:
    """One cell with a number, or with none."""
    held = np.array([isinstance(value, int)])
    whole = np.array([value if isinstance(value, int) else 0], np.int64)
    return Values(whole.astype(np.float64), whole, held, held)
