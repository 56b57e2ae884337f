"""Which process a step has: by the fields that the tree of a trace reads."""

import json
from typing import Any

import pyarrow as pa
import pytest

from query.traces.flows.definition import read_flow_request
from query.traces.flows.read_table import step_columns
from query.traces.wanted import SpanTable


def process_of(**fields: Any) -> str | None:
    """The process of one span with these fields; two underscores stand for a dot."""
    wanted = read_flow_request({}, 10**18)
    named = {name.replace("__", "."): value for name, value in fields.items()}
    texts = [json.dumps(named[name]) if name in named else None for name in wanted.fields]
    plain = {"trace_id": "t", "span_id": "s", "parent_id": None, "name": "n", "annotation": None}
    columns = {
        **{name: pa.array([value], pa.string()) for name, value in plain.items()},
        "time_ns": pa.array([1], pa.int64()),
        "duration_ms": pa.array([1.0], pa.float64()),
        "error": pa.array([False]),
        **{f"f{at}": pa.array([text], pa.string()) for at, text in enumerate(texts)},
    }
    table = SpanTable(pa.table(columns), {"complete": True}, [], {}, wanted.fields)
    (found,) = step_columns(table, wanted).process.to_pylist()
    return found


@pytest.mark.parametrize("host", ["host__name", "meta__local_hostname", "hostname"])
@pytest.mark.parametrize("pid", ["process__pid", "pid"])
def test_a_process_is_an_id_on_a_host_by_any_of_its_names(host: str, pid: str) -> None:
    assert process_of(**{host: "web-1", pid: 17}) == "web-1 17"


def test_an_instance_is_enough_and_a_host_alone_is_not() -> None:
    assert process_of(service__instance__id="i", hostname="web-1", pid=1) == "i"
    assert process_of(hostname="web-1") is None
    assert process_of() is None
