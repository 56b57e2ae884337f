"""States and groups as versions of the program send and expect them that know no other (version 1).

There a key is a tagged text: `n50`, `n0.5`, `btrue`, `stext`, in a column `k<i>` per breakdown; `b`
is always there; hashes are rows (`h`) of a state `a<i>`, as are numbers (`v`) with weights (`w`).
Everything else in the program knows typed columns alone, but for the frequent values of fields
(`FieldSql.key`), which are tagged texts in every version.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from query.plan.parts.conditions import GroupKey, Scalar
from query.plan.plan import Plan
from query.share.states.buckets import bucket_middles
from query.share.states.cells import STEP, cell_ids, cell_names
from query.share.states.lists import flat, lists_of

States = dict[str, pa.Table]
_LISTED: Final = re.compile(r"a\d+_(h|v|vw|e|ew)")
_KEY: Final = re.compile(r"k\d+")
_WHOLE: Final = r"^-?[0-9]+$"


# --- keys ---------------------------------------------------------------------------------------
def tagged(value: Scalar | None) -> str | None:
    """The tagged text of a key; doubles are written as DuckDB writes them."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "btrue" if value else "bfalse"
    return f"s{value}" if isinstance(value, str) else f"n{value!r}"


def untagged(text: str | None) -> Scalar | None:
    """The key of a tagged text."""
    if text is None:
        return None
    tag, rest = text[0], text[1:]
    if tag == "b":
        return rest == "true"
    if tag == "n":
        return int(rest) if re.match(_WHOLE, rest) else float(rest)
    return rest


def plan_with_tagged_groups(plan: Plan) -> Plan:
    """The plan of version 1."""
    return _with_groups(plan, lambda key: tagged(key))


def plan_with_typed_groups(plan: Plan) -> Plan:
    """The plan out of one of version 1."""
    return _with_groups(plan, lambda key: untagged(None if key is None else str(key)))


def _with_groups(plan: Plan, change: Any) -> Plan:
    if plan.groups is None:
        return plan
    groups: tuple[GroupKey, ...] = tuple(tuple(map(change, group)) for group in plan.groups)
    return msgspec.structs.replace(plan, groups=groups)


# --- from version 1 -----------------------------------------------------------------------------
def typed_states(states: Mapping[str, pa.Table]) -> States:
    """The states out of those of version 1. States of rows are the same in both."""
    if STEP not in states["main"].column_names:
        return dict(states)
    made: States = {}
    for name, table in states.items():
        table = _with_typed_keys(table)
        if "h" in table.column_names:
            table = _listed(table, {"h": f"{name}_h"})
        elif "v" in table.column_names:
            table = _listed(table, {"v": f"{name}_v", "w": f"{name}_vw"})
        made[name] = table
    return made


def _with_typed_keys(table: pa.Table) -> pa.Table:
    columns: dict[str, pa.ChunkedArray] = {}
    for name in table.column_names:
        column = table.column(name)
        if _KEY.fullmatch(name):
            columns |= _typed_parts(name, column)
        elif name != STEP or column.null_count < len(column):
            columns[name] = column
    return pa.table(columns)


def _typed_parts(name: str, column: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    tag = pc.utf8_slice_codeunits(column, 0, 1)
    rest = pc.utf8_slice_codeunits(column, 1)
    whole = pc.match_substring_regex(rest, _WHOLE)
    number = pc.equal(tag, "n")
    none = pa.scalar(None, pa.string())

    def only(mask: pa.ChunkedArray) -> pa.ChunkedArray:
        return pc.if_else(mask, rest, none)

    parts = {
        "n": only(pc.and_(number, whole)).cast(pa.int64()),
        "f": only(pc.and_not(number, whole)).cast(pa.float64()),
        "b": pc.equal(only(pc.equal(tag, "b")), "true"),
        "s": only(pc.equal(tag, "s")),
    }
    held = {f"{name}_{part}": c for part, c in parts.items() if c.null_count < len(c)}
    return held or {f"{name}_s": parts["s"]}


def _listed(table: pa.Table, lists: Mapping[str, str]) -> pa.Table:
    """A row per cell, whose column lists[x] has the values of column x of its rows, in order."""
    cells = cell_ids([table], cell_names([table]))
    ids, kept = cells.ids[0], table.take(pa.array(cells.first))
    sorted_by = table.column(next(iter(lists))).to_numpy()
    order = np.lexsort((sorted_by, ids))
    for name, made in lists.items():
        elements = table.column(name).to_numpy()[order]
        kept = kept.append_column(made, lists_of(ids[order], elements, len(cells.first)))
        kept = kept.drop_columns(name)
    return kept


# --- to version 1 -------------------------------------------------------------------------------
def tagged_states(states: Mapping[str, pa.Table], breakdowns: int) -> States:
    """The states as version 1 has them. breakdowns: number of them."""
    if "n" not in states["main"].column_names:
        return dict(states)  # of rows
    made: States = {}
    for name, table in states.items():
        keys = _tagged_keys(table, breakdowns)
        if name == "main":
            rest = [n for n in table.column_names if n == "n" or n.startswith("a")]
            rest = [n for n in rest if not _LISTED.fullmatch(n)]
            made["main"] = pa.table({**keys, **{n: table.column(n) for n in rest}})
        for column in table.column_names:
            if _LISTED.fullmatch(column) and not column.endswith("w"):
                made[column.split("_")[0]] = _rows_of_lists(table, keys, column)
    return made


def _rows_of_lists(table: pa.Table, keys: dict[str, Any], column: str) -> pa.Table:
    rows, elements = flat(table.column(column))
    repeated = pa.table(keys).take(pa.array(rows))
    if column.endswith("_h"):
        return repeated.append_column("h", pa.array(elements))
    if column.endswith("_e"):
        elements = bucket_middles(elements)
    weights = flat(table.column(f"{column}w"))[1]
    return repeated.append_column("v", pa.array(elements)).append_column("w", pa.array(weights))


def _tagged_keys(table: pa.Table, breakdowns: int) -> dict[str, Any]:
    count, names = table.num_rows, table.column_names
    keys: dict[str, Any] = {}
    for i in range(breakdowns):
        texts: list[str | None] = [None] * count
        for name in (n for n in names if n.startswith(f"k{i}_")):
            for at, value in enumerate(table.column(name).to_pylist()):
                if value is not None:
                    texts[at] = tagged(value)
        keys[f"k{i}"] = pa.array(texts, pa.string())
    keys[STEP] = table.column(STEP) if STEP in names else pa.nulls(count, pa.int64())
    return keys
