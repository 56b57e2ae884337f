"""A request for spans of several datasets: their fields, what is joined and returned."""

from enum import StrEnum
from typing import Final

import msgspec

from query.plan.parts.conditions import Filter, filter_fields


class SpanNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A dataset's definitions: the fields that hold the parts of a span. Of several, the first one
    that an event has; an event without trace id is no part of a trace.

    annotation: what an event is that is no span of its own, as `span_event`, `link`, `span_start`.
    status: OTLP's code of the status: 2 is an error, as a true `error` is.
    """

    trace_id: tuple[str, ...] = ("trace.trace_id", "trace_id", "traceId")
    span_id: tuple[str, ...] = ("trace.span_id", "id")
    parent_id: tuple[str, ...] = ("trace.parent_id", "parentId")
    name: tuple[str, ...] = ("name",)
    service: tuple[str, ...] = ("service.name", "service_name", "serviceName")
    duration_ms: tuple[str, ...] = ("duration_ms", "durationMs", "request_processing_time")
    error: tuple[str, ...] = ("error",)
    status: tuple[str, ...] = ("status_code",)
    annotation: tuple[str, ...] = ("meta.annotation_type",)

    @property
    def every(self) -> set[str]:
        """The names of all fields."""
        return {name for part in self.__struct_fields__ for name in getattr(self, part)}


DEFAULT_NAMES: Final = SpanNames()


class SpanDataset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A dataset whose spans are read, by its id."""

    id: str
    names: SpanNames = DEFAULT_NAMES


class SpansPer(StrEnum):
    """What a row of spans is."""

    SPAN = "span"  # one span
    TRACE = "trace"  # what the spans of one trace come to, with its marks
    SIZES = "sizes"  # of one trace, its start, the sizes that are asked for, and its marks
    MARKS = "marks"  # the marks of one trace that has any
    SERVICE = "service"  # a service, or one of its combinations of the fields' values


class Size(StrEnum):
    """Sizes of a trace, as the columns are called that say them."""

    END = "end_ns"
    SPANS = "spans"


class SpanMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition on the events of a trace; the trace's mark is whether any of them matches.

    root: only spans without a parent. inside: only events within the plan's `inside`.
    """

    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    root: bool = False
    inside: bool = False


class Kin(StrEnum):
    """Whose spans keys are of: of a trace, or relatives of the spans that are joined with them."""

    TRACE = "trace"
    PARENT = "parent"
    CHILD = "child"


class SpanKin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request for the keys of spans that match, as parents or as children of others."""

    kin: Kin
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False


class SpanValues(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request for values of fields of the spans that match, with the spans' keys.

    kin: TRACE: of spans without a parent. PARENT: of all, as parents of others.
    """

    kin: Kin
    fields: tuple[str, ...]
    filters: tuple[Filter, ...] = ()
    any_filter: bool = False


class KeyJoin(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of keys that comes with the request: only events are read that it has the key of.

    Its columns: trace_id; of parents and children also id: the id of the span that an event's
    parent is, or of which a child is an event.
    negated: only events are read that it has no key of.
    fields: fields of the plan whose values the table has: of the i-th one in columns `v<i>_<type>`
        for the types that occur. Events are then read also without a key.
    """

    kin: Kin
    negated: bool = False
    fields: tuple[str, ...] = ()


class SpanQuery(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A request for spans, over several datasets (docs/adr/0055-spans-of-many-datasets.md).

    trace_ids: only spans of these traces; each in every form in which it may be stored. None: of
        all traces.
    fields: fields whose values are returned, of rows per span.
    with_data: whether rows per span have all fields of their event, as a JSON object.
    sizes: of rows of sizes.
    marks: of rows per trace.
    inside: range of times of marks, half open, in unix ns.
    kin: further states `kin<i>`: the keys of spans that match.
    values: further states `values<i>`: trace_id, of parents id, of roots span_id, t (their time),
        and the values in columns as of a `KeyJoin`.
    joins: one for each table of keys that comes with the request.
    rows_max, bytes_max: a share with more is refused.
    """

    datasets: tuple[SpanDataset, ...]
    rows_max: int
    bytes_max: int
    per: SpansPer = SpansPer.SPAN
    trace_ids: tuple[str, ...] | None = None
    fields: tuple[str, ...] = ()
    with_data: bool = False
    sizes: tuple[Size, ...] = ()
    marks: tuple[SpanMark, ...] = ()
    inside: tuple[int, int] | None = None
    kin: tuple[SpanKin, ...] = ()
    values: tuple[SpanValues, ...] = ()
    joins: tuple[KeyJoin, ...] = ()

    @property
    def every_field(self) -> set[str]:
        """The names of all fields that are read, but for those of the plan's filters."""
        named = set(self.fields).union(*(one.names.every for one in self.datasets))
        named = named.union(*(one.fields for one in self.values))
        for one in self.conditions:
            named |= filter_fields(one.filters)
        return named

    @property
    def conditions(self) -> tuple[SpanMark | SpanKin | SpanValues, ...]:
        """What asks for the events that match its filters."""
        return *self.marks, *self.kin, *self.values
