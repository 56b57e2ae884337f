"""The table of `bellwether fields`."""

import pytest

from bellwether.answers.rows.fields_table import print_fields


def test_what_a_field_means_is_a_column_only_where_something_is_known(
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = {"name": "status", "types": ["integer"], "share": 1.0, "samples": [200]}
    print_fields([plain])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["field", "type", "share", "last", "seen", "values"]
    assert row.endswith("200")
    metric = {
        "type": "exponential_histogram",
        "unit": "ms",
        "temporality": "delta",
        "monotonic": False,
        "description": "time of a request",
    }
    counter = {"type": "sum", "temporality": "cumulative", "monotonic": True}
    print_fields(
        [
            plain,
            plain | {"name": "took.sum", "metric": metric},
            plain | {"name": "took.max", "metric": metric, "description": "a user's"},
            plain | {"name": "requests", "metric": counter},
        ]
    )
    head, first, took, longest, requests = capsys.readouterr().out.splitlines()
    assert head.endswith("meaning")
    assert first.endswith("200")
    assert took.endswith("time of a request; exponential histogram, delta, in ms")
    assert longest.endswith("a user's; exponential histogram, delta, in ms")
    assert requests.endswith("sum, cumulative, monotonic")
