"""What was asked is shown as the text that means it, or not as a text at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from query.text.parser import parse_text
from query.text.written import written

NOW_S = 1_800_000_000
TEXTS = (
    "COUNT",
    "COUNT, P99(duration_ms) AS slow WHERE status >= 500 AND name = 'a \"b\"' GROUP BY service",
    "MAX(`a field`) WHERE a IN (1, 'x', true) OR b EXISTS OR c NOT CONTAINS 'y' LAST 90s",
    "COUNT WHERE (a = 1 OR b = 2) AND c != 2.5 GROUP BY `limit`, d ORDER BY COUNT DESC, d LIMIT 5",
    "COUNT GROUP BY a HAVING COUNT > 5 SINCE 2026-01-31 UNTIL 2026-02-01 EVERY 1h",
    'COUNT SEARCH "time out" PER trace.trace_id GROUP BY a LAST 2h COMPARE 1d',
    "COUNT WHERE a STARTS-WITH 'x' LAST 1d",
    "COUNT, COUNT WHERE status >= 500 AND a = 1 AS errors, errors / COUNT AS ratio GROUP BY a",
    "100 * SUM(`a b`) / SUM(n) AS pct, if(gt(pct, 5), 'a\"b', 'ok') AS state LAST 1h COMPARE 1d",
    "CONCURRENCY, HEATMAP(a) WHERE failed AS h, RATE_SUM(b) WHERE c = 1 OR failed = false, MAX(b) "
    "UNWEIGHTED LAST 1h",
    "COUNT AS n, n / 2 AS half GROUP BY g HAVING half > 3 ORDER BY half DESC",
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_question_is_shown_as_a_text_that_asks_the_same(text: str) -> None:
    spec = parse_text(text, NOW_S)
    shown = written(spec)
    assert shown is not None
    assert "\n" not in shown
    assert parse_text(shown, NOW_S) == spec


NAMES = st.text(min_size=1, max_size=12)
VALUES = NAMES | st.integers(-(2**53), 2**53) | st.booleans() | st.floats(allow_nan=False)
FILTERS = st.fixed_dictionaries(
    {"column": NAMES, "op": st.sampled_from(["=", "!=", ">=", "starts-with", "in"])},
    optional={"value": VALUES | st.lists(VALUES, max_size=3)},
)
SPECS = st.dictionaries(
    st.sampled_from(["filters", "breakdowns", "orders", "limit", "time_range", "formulas"]),
    st.lists(FILTERS, max_size=3) | st.lists(NAMES, max_size=3) | st.integers() | st.none(),
)


@given(SPECS)
def test_whatever_was_sent_is_shown_as_what_it_means_or_not_at_all(spec: dict[str, Any]) -> None:
    shown = written(spec)
    if shown is not None:
        assert parse_text(shown, NOW_S) == {"calculations": [{"op": "COUNT"}], **spec}
