"""What grows: records are dealt out, and every event of them is still sealed."""

from pathlib import Path

import pytest

from benchmarks.harness.inputs import make_input
from benchmarks.systems.base import Prepared
from benchmarks.systems.growth import ManyDatasets
from benchmarks.workloads.growth import GROWING
from tests.kernel_cache import KERNEL_CACHE

# a measurement of half a minute, run like the other scenarios
pytestmark = [pytest.mark.slow, pytest.mark.scenario]

_EVENTS = 500


def test_many_datasets_in_turn_are_segments_of_their_own_in_one_pack(tmp_path: Path) -> None:
    made = make_input(GROWING, 7, _EVENTS, tmp_path / "input")
    folder = tmp_path / "out"
    folder.mkdir()
    prepared = Prepared(
        GROWING.name,
        made.lines,
        made.envelopes,
        folder,
        KERNEL_CACHE.parent,
        made.events,
        made.text_bytes,
        GROWING.body_events,
        GROWING.depth,
        GROWING.checks,
    )
    system = ManyDatasets(10)
    system.prepare(prepared)
    system.run()
    assert [path.suffix for path in (folder / "segments").iterdir()] == [".pack"]
    assert not system.written().differs_from(made.truth)
    assert len(list((folder / "taken out").glob("*.parquet"))) == 10
