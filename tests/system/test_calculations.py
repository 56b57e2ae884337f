"""Heatmaps, open spans, rates and calculations with filters, asked of a real `up`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.system
BASE_S = 1_700_000_000
RANGE = "SINCE 2023-11-14T22:13:20Z UNTIL 2023-11-14T22:14:20Z EVERY 10s"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("calculations")) as found:
        yield found


def event(at_s: float, rate: int = 1, **data: object) -> dict[str, Any]:
    return {"time": f"{int((BASE_S + at_s) * 1e9)}", "samplerate": rate, "data": data}


def test_every_calculation_is_answered_over_segments_and_live_rows(system: System) -> None:
    long = event(-600, duration_ms=625_000, total=1)
    short = [
        event(10 * at, duration_ms=2.0 ** (10 + at), error=at == 3, total=100 * at)
        for at in range(6)
    ]
    system.send("shop", [long, *short[:3]])
    assert system.run("cut").returncode == 0
    system.send("shop", short[3:])

    def counted() -> bool:
        done = system.run("query", "shop", f"COUNT {RANGE}", "--json")
        return bool(json.loads(done.stdout)["data"]["results"][0]["data"]["COUNT"] == 6)

    system.wait_until(counted, "six events")
    text = (
        "CONCURRENCY, HEATMAP(duration_ms), RATE_MAX(total), COUNT WHERE error AS errors, "
        f"COUNT WHERE duration_ms < 9s AS short {RANGE}"
    )
    done = system.run("query", "shop", text, "--json")
    answer = json.loads(done.stdout)
    row = answer["data"]["results"][0]["data"]
    assert (row["CONCURRENCY"], row["errors"], row["short"]) == (2, 1, 4)
    assert row["RATE_MAX(total)"] == 10
    assert [one["low"] for one in row["HEATMAP(duration_ms)"]] == [2**at for at in range(10, 16)]
    series = [one["data"] for one in answer["data"]["series"]]
    assert [one["CONCURRENCY"] for one in series] == [2, 2, 2, 1, 1, 2]
    assert any("CONCURRENCY" in note for note in answer["notes"])
    drawn = system.run("query", "shop", f"HEATMAP(duration_ms) {RANGE}").stdout
    assert "30,000 │     █" in drawn
    assert "a column is 10s" in drawn
