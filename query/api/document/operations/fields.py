"""The operations that tell which fields and values there are."""

from typing import Final

from common import limits
from query.api.document.operation import Operation, Parameter
from query.api.document.schema import anything, flag, listed, members, or_null, ref, text, whole
from query.api.document.shared import DATASET, in_query

_VALUE: Final = members({"value": anything(), "stored": whole(0)}, required=("value", "stored"))
_NOTES: Final = listed(text())

STORED_FIELDS: Final = (
    Operation(
        "get",
        "/bw/1/fields/{dataset}",
        "storedFields",
        "Questions",
        "The fields of all stored events and what is known of their values; no event is read.",
        {
            200: members(
                {
                    "fields": listed(anything()),
                    "next": or_null(text(about="`cursor` of the page after this one.")),
                    "stored": whole(0),
                    "live": whole(0),
                    "bytes": whole(0),
                    "coverage": ref("Coverage"),
                    "notes": _NOTES,
                },
                required=("fields", "next", "stored", "bytes", "coverage", "notes"),
            )
        },
        parameters=(
            DATASET,
            in_query(
                "match", text(most=limits.FIELD_PATTERN_CHARS_MAX), "A part of names, or * and ?."
            ),
            in_query(
                "search",
                text(most=limits.FIELD_PATTERN_CHARS_MAX),
                "Words, each in the name, the description or a value.",
            ),
            in_query("limit", whole(1, limits.FIELD_FACTS_PAGE), "Fields of a page."),
            in_query("cursor", text(), "`next` of the page before."),
            in_query("samples", whole(0, limits.FIELD_FACTS_VALUES), "Values of each field."),
        ),
    ),
    Operation(
        "get",
        "/bw/1/fields/{dataset}/values/{field}",
        "storedValues",
        "Questions",
        "Values of a field that begin with a prefix, in any case: for completion.",
        {
            200: members(
                {
                    "field": text(),
                    "values": listed(_VALUE),
                    "more": flag("Whether there may be more of them."),
                    "coverage": ref("Coverage"),
                    "notes": _NOTES,
                },
                required=("field", "values", "more", "coverage", "notes"),
            )
        },
        parameters=(
            DATASET,
            Parameter("field", "path", text(least=1), "A field's name."),
            in_query("prefix", text(), "How they begin."),
            in_query("limit", whole(1, limits.FIELD_VALUES_MAX), "Values."),
        ),
    ),
)
