"""Rows per service: those of all partitions and datasets together, each combination once."""

import json
import random
from collections import Counter
from pathlib import Path

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.parts.spans import SpansPer
from query.traces.wanted import SpansWanted
from tests.query.share.rows import Row
from tests.query.traces.cluster import DATASETS, scattered, span_cluster


async def test_services_of_all_datasets(tmp_path: Path) -> None:
    chance = random.Random(5)
    rows = []
    for at in range(200):
        data: dict[str, object] = {"trace.trace_id": f"{at % 9:032x}", "name": f"n{at % 4}"}
        if at % 10:
            data["trace.span_id"] = f"{at:016x}"
        if at % 7:
            data[("service.name", "serviceName")[at % 2]] = "abc"[at % 3]
        if at % 11 == 0:
            data["meta.annotation_type"] = "span_event"
        rows.append((chance.choice(DATASETS), Row(10**18 + at, data)))  # type: ignore[arg-type]
    spans = [
        row.data
        for _, row in rows
        if "trace.span_id" in row.data and "meta.annotation_type" not in row.data
    ]
    named = [(one.get("service.name") or one.get("serviceName"), one["name"]) for one in spans]
    expected = Counter((service, name) for service, name in named if service)
    async with span_cluster(tmp_path, scattered(rows, chance)) as running:
        wanted = SpansWanted(per=SpansPer.SERVICE, fields=("name",))
        found = await running.exchange.gather(wanted, running.key)
        one = SpansWanted(
            per=SpansPer.SERVICE, filters=(Filter("name", FilterOp.EQ, ("n1",)),), limit=2
        )
        narrowed = await running.exchange.gather(one, running.key)
    names = [json.loads(text) for text in found.field("name").to_pylist()]
    services = found.rows.column("service").to_pylist()
    assert list(zip(services, names, strict=True)) == sorted(expected)
    assert found.rows.column("spans").to_pylist() == [expected[key] for key in sorted(expected)]
    of_n1 = Counter(service for service, name in named if service and name == "n1")
    assert narrowed.rows.to_pylist() == [
        {"service": service, "spans": of_n1[service]} for service in sorted(of_n1)[:2]
    ]
