"""Operations on markers, derived columns, annotations and definitions, from their declarations."""

from typing import Any, Final

from query.api.document.declared import schema_of
from query.api.document.operation import Operation
from query.api.document.schema import (
    Schema,
    any_of,
    listed,
    members,
    one_of,
    or_null,
    text,
)
from query.api.document.shared import DATASET, identity, in_query
from query.api.resources.kind import ResourceKind
from query.api.resources.kinds import RESOURCE_KINDS
from query.api.resources.span_definitions import COLUMN, COLUMN_TYPE, DERIVED, NAME
from query.plan.span_parts import SPAN_PARTS

_CONFLICT: Final = (400, 401, 403, 404, 409, 413, 422, 429, 503)


def _body(kind: ResourceKind[Any], *, change: bool) -> Schema:
    return members(
        {one.name: schema_of(one) for one in kind.members},
        required=tuple(
            one.name for one in kind.members if one.required and not (change and one.fixed)
        ),
        about=kind.about,
    )


def _shown(kind: ResourceKind[Any]) -> Schema:
    types = {one.name: {"type": one.type.value, "description": one.about} for one in kind.members}
    always = () if kind.hides_empty else tuple(types)
    return members(
        {"id": text(), **types, "created_at": text(), "updated_at": text()},
        required=("id", *always, "created_at", "updated_at"),
    )


def _operations(kind: ResourceKind[Any]) -> list[Operation]:
    path, group = f"/1/{kind.path}/{{dataset}}", f"{kind.noun.capitalize()}s"
    name = "".join(word.capitalize() for word in kind.noun.split())
    shown, one = _shown(kind), (DATASET, identity(f"Of the {kind.noun}."))
    found_by = (
        (in_query(kind.found_by, text(), "Exactly this one, as an object."),)
        if kind.found_by
        else ()
    )
    every = any_of(listed(shown), shown) if kind.found_by else listed(shown)
    deleted: dict[int, Schema | None] = {200: shown} if kind.shows_deleted else {204: None}
    return [
        Operation(
            *("get", path, f"list{name}s", group),
            "All of a dataset, or with `__all__` those of the environment itself.",
            {200: every},
            parameters=(DATASET, *found_by),
        ),
        Operation(
            *("post", path, f"create{name}", group),
            f"A new {kind.noun}.",
            {201: shown},
            _body(kind, change=False),
            parameters=(DATASET,),
            errors=_CONFLICT,
        ),
        Operation(
            *("get", f"{path}/{{id}}", f"get{name}", group),
            "The one of an id.",
            {200: shown},
            parameters=one,
        ),
        Operation(
            *("put", f"{path}/{{id}}", f"update{name}", group),
            "Replace all members; one that is left out becomes empty.",
            {200: shown},
            _body(kind, change=True),
            parameters=one,
        ),
        Operation(
            *("delete", f"{path}/{{id}}", f"delete{name}", group),
            "Delete one.",
            deleted,
            parameters=one,
        ),
    ]


_PART: Final = or_null(
    members(
        {NAME.name: schema_of(NAME), COLUMN_TYPE.name: schema_of(COLUMN_TYPE)},
        required=(NAME.name,),
    )
)
_PART_SHOWN: Final = or_null(
    members({"name": text(), "column_type": one_of(COLUMN, DERIVED)}, required=("name",))
)
_DEFINITIONS_SHOWN: Final = members(dict.fromkeys(SPAN_PARTS, _PART_SHOWN))
OPERATIONS: Final = (
    *(operation for kind in RESOURCE_KINDS for operation in _operations(kind)),
    Operation(
        *("get", "/1/dataset_definitions/{dataset}", "getDefinitions", "Definitions"),
        "Which field of the dataset is which part of a span; null: it has none.",
        {200: _DEFINITIONS_SHOWN},
        parameters=(DATASET,),
    ),
    Operation(
        *("patch", "/1/dataset_definitions/{dataset}", "updateDefinitions", "Definitions"),
        "Define some parts; an empty name, or null, is the default.",
        {200: _DEFINITIONS_SHOWN},
        members({part: {**_PART, "description": about.what} for part, about in SPAN_PARTS.items()}),
        parameters=(DATASET,),
    ),
)
