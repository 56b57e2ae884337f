"""Operations that ask: stored queries, results, events, fields."""

from typing import Final

from common import limits
from query.api.document.operation import Operation
from query.api.document.operations.differing import DIFFERENCES
from query.api.document.operations.fields import STORED_FIELDS
from query.api.document.schema import (
    any_of,
    anything,
    flag,
    listed,
    members,
    number,
    one_of,
    or_null,
    ref,
    text,
    whole,
)
from query.api.document.shared import (
    AFTER,
    CONDITIONS,
    DATASET,
    POPULATION,
    REQUIRED_COVERAGE,
    identity,
    in_query,
    page,
)
from query.asking.events import KINDS
from query.results.series_forms.columns import FORMS

_ASKING: Final = "Questions"
_NAME: Final = text(least=1, about="A dataset's name, or `__all__`.")
_LINE: Final = members({}, about="Values by breakdown and by label of a calculation.")
_SERIES_ROWS: Final = listed(
    members({"time": text(), "data": _LINE}, required=("time", "data")),
    about="A row per group and step.",
)
_SERIES: Final = any_of(
    _SERIES_ROWS, ref("SeriesColumns"), about="Rows, or columns with `series_form`."
)
_FORM: Final = one_of(*FORMS, about="How series come: rows unless given.")
_RESULT_DATA: Final = members(
    {
        "results": listed(members({"data": _LINE}, required=("data",)), about="A row per group."),
        "series": _SERIES,
        "total_by_aggregate": _LINE,
        "other_by_aggregate": _LINE,
        "total_by_aggregate_series": _SERIES,
    }
)
_RESULT: Final = members(
    {
        "query": members({}),
        "id": text(),
        "complete": flag("Whether the answer is there: `data` and what stands beside it."),
        "links": members({"query_url": text(), "graph_image_url": text()}),
        "data": _RESULT_DATA,
        "coverage": ref("Coverage"),
        "notes": listed(text()),
        "range": members({}),
        "groups": members({}),
        "compare": members(
            {
                "offset_s": whole(1),
                "range": members({}),
                "data": _RESULT_DATA,
                "only_now": listed(members({})),
                "only_before": listed(members({})),
                "coverage": ref("Coverage"),
                "notes": listed(text()),
                "groups": members({}),
            },
            about="The answer of the earlier range, where one is compared.",
        ),
    },
    required=("query", "id", "complete", "links"),
)
_WAIT: Final = in_query("wait_s", number(), "Seconds to wait until the query has ended.")

_TEXT_FAULT: Final = members(
    {
        "why": text(),
        "hint": text(about="What would work; may be empty."),
        "start": whole(0, about="Characters before the words."),
        "end": whole(0),
        "member": or_null(text(about="Of the specification, where that is known.")),
        "at": or_null(whole(0, about="Which item of its list.")),
    },
    required=("why", "hint", "start", "end", "member", "at"),
)

_TAIL: Final = (
    DATASET,
    in_query("after_ns", whole(), "Only later events."),
    in_query(
        "skipped",
        one_of("true", "false"),
        'Whether lines `{"skipped": N}` tell of events left out; null: nobody counted them.',
    ),
)

OPERATIONS: Final = (
    Operation(
        "post",
        "/1/queries/{dataset}",
        "createQuery",
        _ASKING,
        "Store a query specification.",
        {200: ref("StoredQuery")},
        ref("Query"),
        parameters=(DATASET,),
    ),
    Operation(
        "get",
        "/1/queries/{dataset}/{id}",
        "getQuery",
        _ASKING,
        "A stored specification, as it was posted.",
        {200: ref("StoredQuery")},
        parameters=(DATASET, identity("Of the query.")),
    ),
    Operation(
        "post",
        "/1/query_results/{dataset}",
        "createQueryResult",
        _ASKING,
        "Run a stored query, or one that is given here.",
        {201: _RESULT},
        members(
            {
                "query_id": text(),
                "query": ref("Query"),
                "wait_s": number(0, about="Seconds to wait for the answer itself."),
                "disable_series": flag(),
                "disable_total_by_aggregate": flag("True unless given."),
                "disable_other_by_aggregate": flag("True unless given."),
                "series_form": _FORM,
                "limit": whole(1, limits.QUERY_LIMIT_NO_SERIES_MAX),
                **REQUIRED_COVERAGE,
            },
            about="Either `query_id` or `query`.",
        ),
        parameters=(DATASET, AFTER),
    ),
    Operation(
        "get",
        "/1/query_results/{dataset}/{id}",
        "getQueryResult",
        _ASKING,
        "A result; `complete` is false while its query runs.",
        {200: _RESULT},
        parameters=(
            DATASET,
            identity("Of the result."),
            _WAIT,
            in_query("series_form", _FORM, "How its series come."),
        ),
        errors=(400, 401, 403, 404, 410, 413, 422, 429, 503),
    ),
    Operation(
        "delete",
        "/1/query_results/{dataset}/{id}",
        "endQueryResult",
        _ASKING,
        "End a query that this key asked and that still runs; an answer that there is stays.",
        {204: None},
        parameters=(DATASET, identity("Of the result.")),
    ),
    Operation(
        "get",
        "/1/query_results/{dataset}/{id}/graph.svg",
        "getQueryResultGraph",
        _ASKING,
        "The first calculation of a finished result over time, as an image.",
        {200: text()},
        parameters=(DATASET, identity("Of the result."), _WAIT),
        media="image/svg+xml",
        errors=(400, 401, 403, 404, 410, 413, 422, 429, 503),
    ),
    Operation(
        "post",
        "/bw/1/text/read",
        "readText",
        _ASKING,
        "The specification that a text stands for, and what is wrong with it, each at its words.",
        {
            200: members(
                {
                    "query": or_null(ref("Query")),
                    "dataset": or_null(text(about="After FROM.")),
                    "range": or_null(
                        text(about="The words of the time range, as they stand there.")
                    ),
                    "fault": or_null(_TEXT_FAULT),
                    "faults": listed(_TEXT_FAULT),
                    "places": listed(
                        members(
                            {
                                "member": text(about="Of the specification."),
                                "at": or_null(whole(0, about="Which item of its list.")),
                                "start": whole(0, about="Characters before its words."),
                                "end": whole(0),
                            },
                            required=("member", "at", "start", "end"),
                        )
                    ),
                },
                required=("query", "dataset", "range", "fault", "faults", "places"),
            )
        },
        members(
            {"text": text(), "zone": text(about="Of times without one; UTC unless given.")},
            required=("text",),
        ),
    ),
    Operation(
        "post",
        "/bw/1/text/write",
        "writeText",
        _ASKING,
        "The text that stands for a specification; null where no text does.",
        {200: members({"text": or_null(text())}, required=("text",))},
        members(
            {
                "query": ref("Query"),
                "dataset": text(about="To be named after FROM."),
                "range": text(about="Words of a range, in the place of the query's own times."),
                "zone": text(about="Of times without one in `range`; UTC unless given."),
            },
            required=("query",),
        ),
    ),
    Operation(
        "post",
        "/bw/1/rows",
        "rows",
        _ASKING,
        "The events themselves, the newest first.",
        {200: page(ref("Row"), "rows")},
        members(
            {
                "dataset": _NAME,
                **POPULATION,
                "fields": listed(text(), most=limits.ROWS_FIELDS_MAX),
                "time_axis": one_of(
                    "start", "end", "overlap", about="Which of their times lie in the range."
                ),
                "order": one_of("newest", "oldest"),
                "limit": whole(1, limits.ROWS_LIMIT_MAX),
                "cursor": or_null(text()),
                **REQUIRED_COVERAGE,
            },
            required=("dataset",),
        ),
        parameters=(AFTER,),
    ),
    Operation(
        "post",
        "/bw/1/fields",
        "fields",
        _ASKING,
        "The fields of a dataset by name.",
        {200: page(anything(), "fields")},
        members(
            {
                "dataset": _NAME,
                **POPULATION,
                "match": text(most=limits.FIELD_PATTERN_CHARS_MAX, about="A part, or * and ?."),
                "name": text(about="Exactly this field."),
                "details": flag("Whether events are counted and values shown."),
                "limit": whole(1, limits.FIELDS_DETAILED_MAX),
                "cursor": or_null(text()),
                "samples": whole(0, limits.FIELD_SAMPLES_MAX),
                **REQUIRED_COVERAGE,
            },
            required=("dataset",),
            closed=True,
        ),
        parameters=(AFTER,),
    ),
    *STORED_FIELDS,
    DIFFERENCES,
    Operation(
        "get",
        "/bw/1/queries",
        "queries",
        _ASKING,
        "What was asked in the environment, by whom, and what it took.",
        {200: page(anything(), "queries")},
        parameters=(
            in_query("view", one_of("newest", "slow", "keys"), "Every one, or by question or key."),
            in_query("dataset", text(), "Only questions to it, by the name that they used."),
            in_query("key", text(), "Only questions with the key of this name."),
            in_query("kind", one_of(*sorted(set(KINDS.values()))), ""),
            in_query("failed", one_of("true", "false"), "Only those without an answer."),
            in_query("search", text(), "Only those whose specification has this text."),
            in_query("last_s", whole(1, 10 * 366 * 86_400), "Seconds until now; a day."),
            in_query("limit", whole(1, limits.HISTORY_LIMIT_MAX), ""),
            in_query("cursor", text(), "`next` of the page before."),
        ),
    ),
    Operation(
        "get",
        "/bw/1/tail/{dataset}",
        "tail",
        _ASKING,
        "Follow the events as they are indexed: one JSON object per line, until one hangs up.",
        {200: text()},
        parameters=_TAIL,
        media="application/x-ndjson",
    ),
    Operation(
        "post",
        "/bw/1/tail/{dataset}",
        "tailSome",
        _ASKING,
        "Follow the events that match.",
        {200: text()},
        members(
            {
                **CONDITIONS,
                "calculated_fields": listed(ref("CalculatedField")),
                "fields": listed(text(), most=limits.ROWS_FIELDS_MAX),
            }
        ),
        parameters=_TAIL,
        media="application/x-ndjson",
    ),
)
