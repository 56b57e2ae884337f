"""Which trace a request continues, and what names it."""

import re

import pytest

from common.process.trace_context import (
    begin_trace,
    current_trace_id,
    trace_id_of,
    traceparent_of,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"cc-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-more",
    ],
)  # fmt: skip
def test_a_valid_header_is_continued(header: str) -> None:
    assert trace_id_of(header) == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None, "", "00", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\r\nX: y", f"00-{TRACE}-{SPAN}-01-", f"00-{TRACE}-{SPAN}-01-more",
    ],
)  # fmt: skip
def test_any_other_header_begins_a_new_trace(header: str | None) -> None:
    found = trace_id_of(header)
    assert re.fullmatch("[0-9a-f]{32}", found)
    assert found not in (TRACE, trace_id_of(header))


def test_requests_carry_the_trace_as_a_span_of_their_own() -> None:
    first, second = traceparent_of(TRACE), traceparent_of(TRACE)
    assert first != second
    assert trace_id_of(first) == trace_id_of(second) == TRACE


def test_what_a_task_does_knows_its_trace() -> None:
    assert begin_trace({"traceparent": f"00-{TRACE}-{SPAN}-01"}) == TRACE
    assert current_trace_id() == TRACE
