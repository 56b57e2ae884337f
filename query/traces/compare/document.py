"""The answer of `POST /bw/1/traces/compare`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from common.model.times.written import rfc3339_ns
from query.traces.compare.differences import Difference, What
from query.traces.compare.reference import Reference
from query.traces.compare.span import Spans


def compare_document(
    reference: Reference, trace: Spans, found: Sequence[Difference], limit: int
) -> dict[str, Any]:
    """The answer without its coverage. counts: of all differences, not only of those listed."""
    return {
        "trace": {"id": trace.trace_id, "spans": len(trace.spans)},
        "reference": {
            "id": reference.typical.trace_id,
            "spans": len(reference.typical.spans),
            "traces": reference.traces,
        },
        "counts": dict(Counter(str(one.what) for one in found)),
        "differences": [_shown(one) for one in found[:limit]],
    }


def _shown(one: Difference) -> dict[str, Any]:
    span = one.span
    shown: dict[str, Any] = {
        "what": str(one.what),
        "name": span.name,
        "service": span.key.service,
        "kind": span.key.kind,
        "span_id": span.span_id,
        "start": rfc3339_ns(span.start_ns),
        "parent": one.parent,
        "spans": one.spans,
        "share": one.share,
    }
    if one.what is What.FIELD:
        shown["field"] = one.field
    if one.what in (What.FIELD, What.SLOWER):
        shown |= {"usual": one.usual, "found": one.found}
    return shown
