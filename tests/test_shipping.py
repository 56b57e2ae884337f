"""The configurations for other agents hold together, and what they make of a line is taken."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.scan.events import Accepted
from common.scan.json_events import split_batch

FOLDER = Path(__file__).parent.parent / "docs" / "shipping"
ADDRESS = "http://127.0.0.1:8080"  # of `make.py up`


def fluent_bit(text: str) -> list[tuple[str, dict[str, str]]]:
    """The sections of Fluent Bit's classic form."""
    sections: list[tuple[str, dict[str, str]]] = []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            sections.append((line.strip("[]"), {}))
        elif line and not line.startswith("#"):
            name, value = line.split(None, 1)
            sections[-1][1][name.lower()] = value
    return sections


@pytest.mark.parametrize("name", ["vector.toml", "vector-relay.toml"])
def test_vector_sends_what_its_sources_read(name: str) -> None:
    found: dict[str, Any] = tomllib.loads((FOLDER / name).read_text())
    sink = found["sinks"]["bellwether"]
    assert {text.partition(".")[0] for text in sink["inputs"]} == set(found["sources"])
    assert (sink["type"], sink["endpoint"]) == ("honeycomb", ADDRESS)
    assert sink["api_key"] == "${BELLWETHER_KEY}"
    assert sink["buffer"] == {"type": "disk", "max_size": 2**30, "when_full": "block"}


def test_fluent_bit_posts_the_batches_that_the_api_takes() -> None:
    sections = dict(fluent_bit((FOLDER / "fluent-bit.conf").read_text()))
    nest, http = sections["FILTER"], sections["OUTPUT"]
    assert nest["nest_under"] == "data"
    assert http["uri"] == "/1/batch/app"
    assert http["header"] == "X-Honeycomb-Team ${BELLWETHER_KEY}"
    record = {
        http["json_date_key"]: "2026-11-28T19:00:36.123456Z",
        nest["nest_under"]: {"log": "x"},
    }
    (event,) = split_batch(json.dumps([record]).encode(), 0, 0)
    assert isinstance(event, Accepted)
    assert event.time_ns == 1795892436123456000


def test_filebeat_sends_to_where_the_relay_listens() -> None:
    relay = tomllib.loads((FOLDER / "vector-relay.toml").read_text())["sources"]
    beats = yaml.safe_load((FOLDER / "filebeat.yml").read_text())
    assert beats["output.logstash"]["hosts"] == [relay["beats"]["address"]]


def test_the_collector_sends_what_its_receivers_read() -> None:
    collector = yaml.safe_load((FOLDER / "otel-collector.yaml").read_text())
    exporter = collector["exporters"]["otlphttp"]
    assert exporter["endpoint"] == ADDRESS
    assert exporter["headers"]["x-honeycomb-team"] == "${env:BELLWETHER_KEY}"
    pipeline = collector["service"]["pipelines"]["logs"]
    assert set(pipeline["receivers"]) <= set(collector["receivers"])
    assert set(pipeline["exporters"]) <= set(collector["exporters"])
    stores = set(collector["service"]["extensions"])
    assert collector["receivers"]["filelog"]["storage"] in stores
    assert exporter["sending_queue"]["storage"] in stores
