"""The fields of a data point."""

import math

import orjson
import pytest

from common import limits
from common.scan.events import Mended, Rule
from shepherd.otlp.metrics.distributions import Explicit, Exponential
from shepherd.otlp.metrics.point_fields import (
    Distribution,
    Exemplar,
    distribution_fields,
    integer,
    number_fields,
    summary_fields,
)
from shepherd.otlp.metrics.values import Temporality

CUMULATIVE, DELTA = Temporality.CUMULATIVE, Temporality.DELTA
BUCKETS = Explicit((1.0, 2.0), (1, 2, 1))


def test_a_number_is_the_field_of_its_metric_as_it_was_sent() -> None:
    assert number_fields("cpu", 3).values == [("cpu", 3)]
    assert repr(number_fields("cpu", 3.0).values) == "[('cpu', 3.0)]"
    assert number_fields("cpu", None) == ([], ())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_dropped_and_counted(value: float) -> None:
    found = number_fields("cpu", value, [Exemplar(1, 2, "", "", {})])
    assert found == ([], (Mended(Rule.NOT_FINITE, "cpu"),))


def test_exemplars_are_one_field_of_json() -> None:
    exemplars = [Exemplar(1.5, 7, "ab" * 16, "cd" * 8, {"k": "v"}), Exemplar(None, 0, "", "", {})]
    (_, (name, text)) = number_fields("cpu", 1, exemplars).values
    assert name == "cpu.exemplars"
    assert orjson.loads(str(text)) == [
        {
            "value": 1.5,
            "time_ns": 7,
            "trace_id": "ab" * 16,
            "span_id": "cd" * 8,
            "attributes": {"k": "v"},
        },
        {"value": None, "time_ns": 0},
    ]


def test_exemplars_beyond_the_room_of_a_field_are_left_out_and_counted() -> None:
    exemplars = [Exemplar(1, 2, "", "", {"k": "x" * 30_000})] * 3
    found = number_fields("cpu", 1, exemplars)
    (_, (_, text)) = found.values
    assert len(orjson.loads(str(text))) == 2
    assert len(str(text)) <= limits.STRING_BYTES_MAX
    assert found.mended == (Mended(Rule.STRING_TOO_LONG, "cpu.exemplars"),)


def test_a_histogram_keeps_what_questions_can_add_up_and_subtract() -> None:
    found = distribution_fields("took", CUMULATIVE, Distribution(4, 6.5, 0.5, 2.5, BUCKETS))
    assert dict(found.values) == {
        "took.count": 4,
        "took.sum": 6.5,
        "took.min": 0.5,
        "took.max": 2.5,
        "took.buckets": '{"bounds":[1.0,2.0],"counts":[1,2,1]}',
    }
    assert found.mended == ()


def test_only_a_histogram_of_the_time_since_the_last_one_has_quantiles() -> None:
    for temporality in (Temporality.NONE, CUMULATIVE, DELTA):
        found = dict(
            distribution_fields(
                "took", temporality, Distribution(4, 6.5, None, None, BUCKETS)
            ).values
        )
        assert ("took.p50" in found) == (temporality is DELTA)
        assert "took.min" not in found
    assert found["took.p50"] == pytest.approx(1.5)
    assert {name for name in found if name.startswith("took.p")} == {
        f"took.p{digits}"
        for digits in "001 01 05 10 20 25 50 75 80 90 95 99 999".split()  # noqa: SIM905
    }


def test_a_histogram_without_buckets_has_count_and_sum() -> None:
    for buckets in (Explicit(), Exponential()):
        found = distribution_fields("took", DELTA, Distribution(4, 6.5, None, None, buckets))
        assert found == ([("took.count", 4), ("took.sum", 6.5)], ())


def test_fields_of_a_histogram_that_are_not_finite_are_dropped_and_the_others_are_kept() -> None:
    buckets = Explicit((1.0, math.inf), (1, 2, 0))
    found = distribution_fields(
        "took", DELTA, Distribution(3, math.nan, -math.inf, math.inf, buckets)
    )
    assert found.values == [("took.count", 3)]
    assert found.mended == tuple(
        Mended(Rule.NOT_FINITE, f"took.{suffix}") for suffix in ("sum", "min", "max", "buckets")
    )


def test_buckets_beyond_the_room_of_a_field_are_left_out_whole_and_counted() -> None:
    many = Explicit(tuple(map(float, range(20_000))), (7,) * 20_001)
    for buckets in (many, None):
        found = distribution_fields("took", DELTA, Distribution(4, 6.5, None, None, buckets))
        assert "took.buckets" not in dict(found.values)
        assert dict(found.values)["took.count"] == 4
        assert found.mended == (Mended(Rule.STRING_TOO_LONG, "took.buckets"),)


def test_a_count_beyond_64_bits_is_the_nearest_double() -> None:
    assert integer(2**63 - 1) == 2**63 - 1
    assert repr(integer(2**63)) == "9.223372036854776e+18"


def test_a_summary_has_the_quantiles_that_its_client_gives() -> None:
    quantiles = [(0.0, 1.0), (0.5, 2.0), (0.99, math.nan), (1.0, 4.0), (7.0, 3.0), (0.5, 9.0)]
    found = summary_fields("took", 10, 25.0, quantiles)
    assert dict(found.values) == {
        "took.count": 10,
        "took.sum": 25.0,
        "took.min": 1.0,
        "took.p50": 2.0,
        "took.max": 4.0,
    }
    assert found.mended == (
        Mended(Rule.NOT_FINITE, "took.p99"),
        Mended(Rule.NUMBER_OUT_OF_RANGE, "took.quantile"),
    )
