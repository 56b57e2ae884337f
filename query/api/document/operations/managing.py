"""Operations that manage: datasets, columns, keys, the installation."""

from typing import Final

from common import limits
from query.api.document.declared import schema_of
from query.api.document.operation import Operation
from query.api.document.schema import (
    Schema,
    any_of,
    anything,
    flag,
    listed,
    members,
    or_null,
    text,
    whole,
)
from query.api.document.shared import DATASET, identity, in_query
from query.api.resources.columns import definitions
from query.api.resources.datasets import bodies

_DATASETS: Final = "Datasets"
_COLUMNS: Final = "Columns"
_KEYS: Final = "Keys"
_OPERATING: Final = "Operating"
_PAGE_GROUP: Final = "The page"
_PAGE: Final = (
    in_query("page[size]", whole(1), "Names of a page."),
    in_query("page[next]", text(least=1), "`X-Bellwether-Next` of the page before."),
)
_DATASET_CHANGE: Final[dict[str, Schema]] = {
    **{one.name: schema_of(one) for one in bodies.MEMBERS if not one.fixed},
    bodies.SETTINGS: members({bodies.PROTECTED.name: schema_of(bodies.PROTECTED)}),
}
_DATASET_SHOWN: Final = members(
    {
        "name": text(),
        "slug": text(),
        "description": text(),
        "expand_json_depth": whole(0),
        "retention_days": or_null(whole(1)),
        "settings": members({"delete_protected": flag()}, required=("delete_protected",)),
        "regular_columns_count": or_null(whole(0)),
        "last_written_at": or_null(text()),
        "created_at": text(),
    },
    required=("name", "slug", "description", "expand_json_depth", "settings", "created_at"),
)
_COLUMN_CHANGE: Final[dict[str, Schema]] = {
    one.name: schema_of(one) for one in definitions.MEMBERS if not one.fixed
}
_COLUMN_SHOWN: Final = members(
    {"id": text(), "key_name": text(), "type": text(), "description": text(), "hidden": flag()},
    required=("id", "key_name", "type", "description", "hidden"),
)
_KEY: Final = {"id": text(), "name": text(), "kind": text(), "rights": members({})}
_KEY_SHOWN: Final = members(_KEY, required=("id", "name", "kind", "rights"))
_KEY_MADE: Final = members(
    {**_KEY, "key": text(about="The key itself: it is shown only here.")},
    required=("id", "name", "kind", "rights", "key"),
)
_WHO: Final = members(
    {
        "name": text(about="Of the key."),
        "team": members({"name": text(), "slug": text()}, required=("name", "slug")),
        "environment": members({"name": text(), "slug": text()}, required=("name", "slug")),
        "rights": members({}),
    },
    required=("name", "team", "environment", "rights"),
)

OPERATIONS: Final = (
    Operation(
        "get",
        "/1/datasets",
        "listDatasets",
        _DATASETS,
        "A page of the environment's datasets.",
        {200: listed(_DATASET_SHOWN)},
        parameters=_PAGE,
    ),
    Operation(
        "post",
        "/1/datasets",
        "createDataset",
        _DATASETS,
        "Create a dataset, or show the one that has the name or slug already (200).",
        {200: _DATASET_SHOWN, 201: _DATASET_SHOWN},
        members(
            {bodies.NAME.name: schema_of(bodies.NAME), **_DATASET_CHANGE},
            required=("name",),
        ),
    ),
    Operation(
        "get",
        "/1/datasets/{dataset}",
        "getDataset",
        _DATASETS,
        "A dataset.",
        {200: _DATASET_SHOWN},
        parameters=(DATASET,),
    ),
    Operation(
        "put",
        "/1/datasets/{dataset}",
        "updateDataset",
        _DATASETS,
        "Change what is said about a dataset.",
        {200: _DATASET_SHOWN},
        members(_DATASET_CHANGE),
        parameters=(DATASET,),
    ),
    Operation(
        "delete",
        "/1/datasets/{dataset}",
        "deleteDataset",
        _DATASETS,
        "Delete a dataset that is not protected.",
        {202: members({})},
        parameters=(DATASET,),
        errors=(400, 401, 403, 404, 409, 413, 422, 429, 503),
    ),
    Operation(
        "get",
        "/1/columns/{dataset}",
        "listColumns",
        _COLUMNS,
        "A page of the columns; with `key_name` that column as an object.",
        {200: any_of(listed(_COLUMN_SHOWN), _COLUMN_SHOWN)},
        parameters=(DATASET, in_query("key_name", text(), "Exactly this column."), *_PAGE),
    ),
    Operation(
        "post",
        "/1/columns/{dataset}",
        "createColumn",
        _COLUMNS,
        "Describe a field that no event needs to have yet.",
        {201: _COLUMN_SHOWN},
        members(
            {definitions.KEY_NAME.name: schema_of(definitions.KEY_NAME), **_COLUMN_CHANGE},
            required=("key_name",),
        ),
        parameters=(DATASET,),
        errors=(400, 401, 403, 404, 409, 413, 422, 429, 503),
    ),
    Operation(
        "get",
        "/1/columns/{dataset}/{id}",
        "getColumn",
        _COLUMNS,
        "A column.",
        {200: _COLUMN_SHOWN},
        parameters=(DATASET, identity("Of the column.")),
    ),
    Operation(
        "put",
        "/1/columns/{dataset}/{id}",
        "updateColumn",
        _COLUMNS,
        "Change type, description and `hidden`.",
        {200: _COLUMN_SHOWN},
        members(_COLUMN_CHANGE),
        parameters=(DATASET, identity("Of the column.")),
    ),
    Operation(
        "delete",
        "/1/columns/{dataset}/{id}",
        "deleteColumn",
        _COLUMNS,
        "Show a column no more, until an event has it again.",
        {204: None},
        parameters=(DATASET, identity("Of the column.")),
    ),
    Operation(
        "get",
        "/bw/1/keys",
        "listKeys",
        _KEYS,
        "The environment's keys, without their texts.",
        {200: listed(_KEY_SHOWN)},
    ),
    Operation(
        "post",
        "/bw/1/keys",
        "createKey",
        _KEYS,
        "A new key; its text is in this answer and stored nowhere.",
        {201: _KEY_MADE},
        members(
            {
                "name": text(least=1, most=limits.DATASET_NAME_CHARS_MAX),
                "ingest": flag(),
                "read_only": flag(),
                "create_datasets": flag(),
                "admin": flag(),
                "classic": flag(),
                "events_per_s": whole(0, limits.KEY_EVENTS_MAX),
                "events_per_day": whole(0, limits.KEY_EVENTS_MAX),
            },
            required=("name",),
            closed=True,
        ),
    ),
    Operation(
        "delete",
        "/bw/1/keys/{id}",
        "revokeKey",
        _KEYS,
        "Revoke a key.",
        {204: None},
        parameters=(identity("Of the key."),),
    ),
    Operation(
        "get",
        "/bw/1/status",
        "status",
        _OPERATING,
        "Roles, partitions, indexers, shepherds.",
        {200: members({"roles": listed(anything()), "log": listed(anything())})},
    ),
    Operation(
        "post",
        "/bw/1/cut",
        "cut",
        _OPERATING,
        "Cut every partition now; answered when the segments are published.",
        {200: members({"partitions": whole(), "indexers": anything()})},
    ),
    Operation(
        "get",
        "/ui/session",
        "session",
        _PAGE_GROUP,
        "Whose session it is: of the page's cookie, or of the key that is sent.",
        {200: _WHO},
    ),
    Operation(
        "post",
        "/ui/session",
        "logIn",
        _PAGE_GROUP,
        "Begin a session with a key, or with the code of a link.",
        {200: _WHO},
        members({"key": text(), "code": text()}, about="One of both."),
        key=False,
    ),
    Operation(
        "delete",
        "/ui/session",
        "logOut",
        _PAGE_GROUP,
        "End the session in this browser.",
        {204: None},
        key=False,
    ),
    Operation(
        "get",
        "/bw/1/openapi.json",
        "openapi",
        _OPERATING,
        "This document.",
        {200: members({})},
        key=False,
        errors=(),
    ),
)
