"""What data points of metrics become."""

import math
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    SummaryDataPoint,
)

from common import limits
from common.scan.events import MalformedBody, Mended, Refused, Rule
from common.scan.work_budget import TooMuchWork, Work
from shepherd.otlp.decode.interface import DecodedRequest, Group, OtlpBody, Signal
from shepherd.otlp.decode.reference.decoder import ReferenceDecoder
from shepherd.otlp.decode.reference.events import TooManyEventBytes
from shepherd.otlp.metrics.values import Kind, Temporality
from tests.shepherd.otlp.messages import ARRIVAL_NS, SPAN, START_NS, TRACE, key_values
from tests.shepherd.otlp.signals import (
    TIMES,
    metric,
    metrics_of,
    metrics_request,
    number,
    wrapped,
)

MAPPING = {"meta.signal_type": "metric"}
DELTA, CUMULATIVE = 1, 2
Side = ExponentialHistogramDataPoint.Buckets
Quantile = SummaryDataPoint.ValueAtQuantile


def decode(body: bytes, **more: Any) -> DecodedRequest:
    return ReferenceDecoder().decode(OtlpBody(Signal.METRICS, body, ARRIVAL_NS, **more), Work())


def group_of(*metrics: Metric, **more: Any) -> Group:
    """The only group of events of metrics of one resource."""
    (group,) = decode(metrics_request(metrics_of(*metrics, **more))).groups
    return group


def events_of(group: Group) -> list[Any]:
    return [orjson.loads(line) for line in group.events.lines.text.splitlines()]


def data_of(*metrics: Metric, **more: Any) -> Any:
    """The data of the only event."""
    (event,) = events_of(group_of(*metrics, **more))
    return event["d"]


def test_metrics_of_the_same_attributes_and_time_are_fields_of_one_event() -> None:
    group = group_of(
        metric("load", "gauge", number(0.5, {"host": "a"}), number(3.0, {"host": "b"})),
        metric(
            "requests",
            "sum",
            number(7, {"host": "a"}, start_time_unix_nano=START_NS - 5),
            aggregation_temporality=CUMULATIVE,
            is_monotonic=True,
        ),
        resource={"service.name": "web"},
        scope={"name": "meter"},
    )
    shared = {"service.name": "web", "library.name": "meter", **MAPPING}
    first, second = events_of(group)
    assert first == {
        "t": START_NS,
        "r": 1,
        "d": {
            **shared,
            "load": 0.5,
            "requests": 7,
            "host": "a",
            "meta.start_time_ns": START_NS - 5,
        },
    }
    assert second["d"] == {**shared, "load": 3.0, "host": "b"}
    assert list(first["d"])[:3] == ["load", "requests", "host"]
    assert b'"load":3.0' in group.events.lines.text  # a double stays one
    assert group.items.tolist() == [0, 1]
    assert group.weights is not None
    assert group.weights.tolist() == [2, 1]
    assert group.own.tolist() == [True, True]


def test_equal_resources_and_scopes_are_one_wherever_they_are_in_the_request() -> None:
    resources = [{"host": "a"}, {"host": "b"}, {"host": "a"}]
    body = metrics_request(
        *(
            metrics_of(metric(name, "gauge", number(1)), resource=resource)
            for name, resource in zip("xyz", resources, strict=True)
        )
    )
    (group,) = decode(body).groups
    found = [event["d"] for event in events_of(group)]
    assert found == [
        {"x": 1, "z": 1, "host": "a", **MAPPING},
        {"y": 1, "host": "b", **MAPPING},
    ]


@pytest.mark.parametrize(("header", "dataset"), [("", "unknown_metrics"), ("mine", "mine")])
def test_the_dataset_is_the_headers_else_unknown_metrics(header: str, dataset: str) -> None:
    body = metrics_request(
        metrics_of(metric("x", "gauge", number(1)), resource={"service.name": "web"})
    )
    (group,) = decode(body, dataset=header).groups
    assert group.dataset == dataset


def test_a_histogram_keeps_its_buckets_and_has_quantiles_if_it_is_of_the_last_interval() -> None:
    point = HistogramDataPoint(
        attributes=key_values({"k": "v"}),
        count=4,
        sum=6.5,
        bucket_counts=[1, 2, 1],
        explicit_bounds=[1, 2],
        min=0.5,
        max=2.5,
        start_time_unix_nano=3,
        **TIMES,
    )
    found = data_of(metric("took", "histogram", point, aggregation_temporality=CUMULATIVE))
    assert found == {
        "took.count": 4,
        "took.sum": 6.5,
        "took.min": 0.5,
        "took.max": 2.5,
        "took.buckets": '{"bounds":[1.0,2.0],"counts":[1,2,1]}',
        "k": "v",
        "meta.start_time_ns": 3,
        **MAPPING,
    }
    delta = data_of(metric("took", "histogram", point, aggregation_temporality=DELTA))
    assert delta.items() > found.items()
    assert delta["took.p50"] == pytest.approx(1.5)
    assert len(delta) == len(found) + 13


def test_an_exponential_histogram_is_alike() -> None:
    point = ExponentialHistogramDataPoint(
        count=8,
        sum=-1.5,
        scale=-2,
        zero_count=1,
        zero_threshold=0.25,
        positive=Side(offset=-3, bucket_counts=[1, 300]),
        negative=Side(offset=2, bucket_counts=[6]),
        min=-99.0,
        max=7.0,
        **TIMES,
    )
    found = data_of(metric("took", "exponential_histogram", point, aggregation_temporality=DELTA))
    assert orjson.loads(found["took.buckets"]) == {
        "scale": -2,
        "zero_threshold": 0.25,
        "zero_count": 1,
        "positive": {"offset": -3, "counts": [1, 300]},
        "negative": {"offset": 2, "counts": [6]},
    }
    assert (found["took.count"], found["took.sum"]) == (8, -1.5)
    assert (found["took.min"], found["took.max"]) == (-99.0, 7.0)
    assert "took.p99" in found


def test_a_summary_has_the_quantiles_of_its_client() -> None:
    values = [Quantile(quantile=q, value=10 * q) for q in (0, 0.5, 0.999, 1)]
    point = SummaryDataPoint(count=9, sum=4.0, quantile_values=values, **TIMES)
    assert data_of(metric("took", "summary", point)) == {
        "took.count": 9,
        "took.sum": 4.0,
        "took.min": 0.0,
        "took.p50": 5.0,
        "took.p999": 9.99,
        "took.max": 10.0,
        **MAPPING,
    }


def test_exemplars_lead_from_a_metric_to_spans() -> None:
    exemplar = Exemplar(
        filtered_attributes=key_values({"user": 7}),
        time_unix_nano=5,
        as_int=3,
        span_id=SPAN,
        trace_id=TRACE,
    )
    found = data_of(metric("load", "gauge", number(1, exemplars=[exemplar])))
    assert orjson.loads(found["load.exemplars"]) == [
        {
            "value": 3,
            "time_ns": 5,
            "trace_id": TRACE.hex(),
            "span_id": SPAN.hex(),
            "attributes": {"user": 7},
        }
    ]


def test_more_exemplars_than_are_kept_are_counted() -> None:
    exemplars = [Exemplar(as_int=1)] * (limits.METRIC_EXEMPLARS_MAX + 1)
    group = group_of(metric("load", "gauge", number(1, exemplars=exemplars)))
    (event,) = events_of(group)
    assert len(orjson.loads(event["d"]["load.exemplars"])) == limits.METRIC_EXEMPLARS_MAX
    assert group.events.mended == [(0, (Mended(Rule.STRING_TOO_LONG, "load.exemplars"),))]


def test_a_point_that_has_no_value_by_its_flag_is_neither_stored_nor_refused() -> None:
    for point, kind in (
        (number(1, flags=1), "gauge"),
        (number(None, flags=3), "sum"),
        (HistogramDataPoint(count=3, flags=1, **TIMES), "histogram"),
        (ExponentialHistogramDataPoint(count=3, flags=1, **TIMES), "exponential_histogram"),
        (SummaryDataPoint(count=3, flags=1, **TIMES), "summary"),
    ):
        found = decode(metrics_request(metrics_of(metric("x", kind, point))))
        assert (found.items, found.groups, found.unreadable) == (1, [], [])


def test_a_point_of_which_nothing_can_be_stored_is_refused_and_its_neighbours_are_kept() -> None:
    found = decode(
        metrics_request(
            metrics_of(
                metric("load", "gauge", number(math.nan), number(1), number(math.inf)),
                metric("none", "gauge", number(None)),
                metric("", "gauge", number(1)),
                metric("n" * limits.STRING_BYTES_MAX, "gauge", number(1)),
            )
        )
    )
    (group,) = found.groups
    assert [event["d"] for event in events_of(group)] == [{"load": 1, **MAPPING}]
    assert group.items.tolist() == [1]
    assert found.items == 6
    assert found.unreadable == [
        (0, Refused(Rule.NOT_FINITE, "load: is NaN or infinite")),
        (2, Refused(Rule.NOT_FINITE, "load: is NaN or infinite")),
        (3, Refused(Rule.DATA_MISSING, "none: has no value")),
        (4, Refused(Rule.DATA_MISSING, "the metric has no name")),
        (5, Refused(Rule.KEY_TOO_LONG, "the name of a metric is longer than 65503 bytes")),
    ]


def test_a_field_of_a_distribution_that_is_not_finite_is_dropped_and_counted() -> None:
    point = HistogramDataPoint(count=1, sum=math.nan, **TIMES)
    group = group_of(metric("took", "histogram", point))
    assert events_of(group)[0]["d"] == {"took.count": 1, **MAPPING}
    assert group.events.mended == [(0, (Mended(Rule.NOT_FINITE, "took.sum"),))]


@pytest.mark.parametrize(("time_ns", "expected"), [(0, ARRIVAL_NS), (2**63, ARRIVAL_NS), (7, 7)])
def test_a_point_without_a_time_has_that_of_its_arrival(time_ns: int, expected: int) -> None:
    group = group_of(metric("x", "gauge", number(1, time_unix_nano=time_ns)))
    assert events_of(group)[0]["t"] == expected
    assert bool(group.events.mended) == (time_ns == 2**63)


def test_a_start_out_of_range_is_dropped_and_counted() -> None:
    group = group_of(metric("x", "gauge", number(1, start_time_unix_nano=2**63)))
    assert events_of(group)[0]["d"] == {"x": 1, **MAPPING}
    assert group.events.mended == [(0, (Mended(Rule.TIME, "meta.start_time_ns"),))]


def test_a_metric_goes_before_an_attribute_of_its_name_and_keeps_sample_rates_as_fields() -> None:
    found = data_of(metric("state", "gauge", number(1, {"state": "on", "sampleRate": 5})))
    assert found == {"state": 1, "sampleRate": 5, **MAPPING}


def test_many_scopes_of_a_large_resource_are_refused_before_they_fill_the_memory() -> None:
    resource = {f"k{n}": "x" * 400 for n in range(1_000)}
    one = metrics_of(metric("x", "gauge", number(1)), resource=resource)
    (scope,) = one.scope_metrics
    for n in range(150):
        scope.scope.name = f"scope {n}"
        one.scope_metrics.append(scope)
    with pytest.raises(TooManyEventBytes):
        decode(metrics_request(one))
    for group in one.scope_metrics:
        group.metrics.clear()  # scopes without points cost nothing
    assert decode(metrics_request(one)).groups == []


POINTS = st.tuples(
    st.sampled_from("abc"),
    st.dictionaries(st.sampled_from("xy"), st.sampled_from([1, True, "1", 1.0]), max_size=2),
    st.sampled_from([5, 6]),
    st.integers(-(2**63), 2**63 - 1),
)


@given(st.lists(POINTS, max_size=30))
def test_every_point_is_in_exactly_one_event(points: list[Any]) -> None:
    metrics = [
        metric(name, "sum", number(value, attributes, time_unix_nano=time_ns))
        for name, attributes, time_ns, value in points
    ]
    decoded = decode(metrics_request(metrics_of(*metrics)))
    found, seen, weights = list[Any](), Counter[Any](), 0
    for group in decoded.groups:
        weights += int(group.weights.sum() if group.weights is not None else len(group.items))
        for event in events_of(group):
            data = event["d"]
            attributes = {name: data[name] for name in data.keys() & {"x", "y"}}
            names = data.keys() & set("abc")
            seen[event["t"], repr(sorted(attributes.items()))] += 1
            found += [(name, attributes, event["t"], data[name]) for name in names]
    assert Counter(map(_as_text, found)) == Counter(map(_as_text, points))
    assert weights == decoded.items == len(points)
    most: Counter[Any] = Counter()
    for name, attributes, time_ns, _ in points:
        most[name, time_ns, repr(sorted(attributes.items()))] += 1
    for (time_ns, text), events in seen.items():
        if max(most[name, time_ns, text] for name in "abc") == 1:  # no metric has a second point
            assert events == 1


def _as_text(point: tuple[str, dict[str, Any], int, int]) -> str:
    name, attributes, time_ns, value = point
    return repr((name, sorted(attributes.items()), time_ns, value))


def test_parts_of_a_metric_are_joined_and_of_several_kinds_the_last_counts() -> None:
    def part(*points: Any, kind: str = "sum", **members: Any) -> bytes:
        return bytes(metric("", kind, *points, **members).SerializeToString())

    gauge = part(number(9), kind="gauge")
    first = part(number(1), aggregation_temporality=DELTA, is_monotonic=True)
    second = part(number(2, {"k": 1}), aggregation_temporality=CUMULATIVE)
    raw = Metric(name="x").SerializeToString()
    for parts, values in (
        (first + second, [1, 2]),
        (gauge + first + second, [1, 2]),
        (first + gauge + second, [2]),
        (first + second + gauge, [9]),
    ):
        group = group_of(Metric.FromString(raw + parts))
        assert [event["d"]["x"] for event in events_of(group)] == values
        (of_bytes,) = decode(wrapped(raw + parts)).groups
        assert of_bytes.events.lines.text == group.events.lines.text
        assert of_bytes.facts == group.facts


def test_a_metric_without_data_has_no_point() -> None:
    found = decode(metrics_request(metrics_of(Metric(name="x"), metric("y", "gauge"))))
    assert (found.items, found.groups, found.unreadable) == (0, [], [])


def test_columns_have_the_facts_of_their_metric() -> None:
    point = HistogramDataPoint(count=1, sum=2.0, **TIMES)
    group = group_of(
        metric("took", "histogram", point, unit="ms", description="of a request"),
        metric("n", "sum", number(1), is_monotonic=True, aggregation_temporality=DELTA),
        metric("load", "gauge", number(1)),
    )
    facts = {one.name: one for one in group.facts.values()}
    assert sorted(facts) == ["load", "n", "took.count", "took.sum"]
    assert (facts["took.sum"].unit, facts["took.sum"].kind) == ("ms", Kind.HISTOGRAM)
    assert facts["took.sum"].description == "of a request"
    assert facts["n"].monotonic
    assert facts["n"].temporality is Temporality.DELTA
    assert facts["load"].temporality is Temporality.NONE


def test_a_histogram_of_too_many_buckets_keeps_count_and_sum() -> None:
    many = limits.METRIC_BUCKETS_MAX + 5
    explicit = HistogramDataPoint(
        count=3, bucket_counts=[0] * many, explicit_bounds=range(many - 1), **TIMES
    )
    exponential = ExponentialHistogramDataPoint(
        count=3, positive=Side(bucket_counts=[0] * many), **TIMES
    )
    for kind, point in (("histogram", explicit), ("exponential_histogram", exponential)):
        group = group_of(metric("took", kind, point))
        assert events_of(group)[0]["d"] == {"took.count": 3, **MAPPING}
        assert group.events.mended == [(0, (Mended(Rule.STRING_TOO_LONG, "took.buckets"),))]


def test_one_attribute_too_many_does_not_cost_a_point() -> None:
    attributes = {f"k{n}": n for n in range(10_000)}
    group = group_of(metric("x", "gauge", number(1, attributes)))
    (event,) = events_of(group)
    assert len(event["d"]) == limits.EVENT_FIELDS_MAX
    assert event["d"]["x"] == 1


def test_a_body_that_is_cut_off_is_malformed_and_one_without_end_is_too_much_work() -> None:
    body = metrics_request(metrics_of(metric("x", "gauge", number(1, {"k": "v"}))))
    for end in range(1, len(body)):
        with pytest.raises(MalformedBody):
            decode(body[:end])
    many = metrics_request(metrics_of(metric("x", "gauge", *[number(1)] * 1_000)))
    with pytest.raises(TooMuchWork):
        ReferenceDecoder().decode(OtlpBody(Signal.METRICS, many, 1), Work(1_000))


def test_wrong_utf8_in_a_metrics_name_is_replaced_and_counted() -> None:
    body = metrics_request(metrics_of(metric("zz", "gauge", number(1))))
    (group,) = decode(body.replace(b"zz", b"z\xff")).groups
    assert events_of(group)[0]["d"] == {"z\ufffd": 1, **MAPPING}
    assert group.events.mended == [(0, (Mended(Rule.NOT_UTF8, "z\ufffd"),))]


def test_random_bytes_in_a_request_never_break_the_decoder() -> None:
    point = HistogramDataPoint(
        count=3, sum=1.0, bucket_counts=[1, 2], explicit_bounds=[1], exemplars=[Exemplar(as_int=1)]
    )
    body = metrics_request(
        metrics_of(
            metric("took", "histogram", point, aggregation_temporality=DELTA),
            metric("load", "gauge", number(1, {"k": "v"})),
            metric(
                "e",
                "exponential_histogram",
                ExponentialHistogramDataPoint(positive=Side(offset=1, bucket_counts=[1, 2])),
                aggregation_temporality=DELTA,
            ),
        )
    )
    malformed = 0
    for at in range(len(body)):
        for value in (0, 1, 0x7F, 0x80, 0xFF, body[at] ^ 0x10, body[at] ^ 7):
            try:
                decode(body[:at] + bytes((value,)) + body[at + 1 :])
            except MalformedBody:
                malformed += 1
    assert malformed
