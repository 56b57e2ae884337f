"""What grows: records are dealt out, and every event of them is still sealed."""

from pathlib import Path

import pytest

from benchmarks.harness.inputs import make_input
from benchmarks.systems.base import Prepared
from benchmarks.systems.growth import ManyDatasets
from benchmarks.workloads.growth import GROWING
from tests.kernel_cache import KERNEL_CACHE

pytestmark = pytest.mark.slow

_EVENTS = 500


def test_events_in_turn_of_many_datasets_are_sealed_in_files_of_their_own(tmp_path: Path) -> None:
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
    assert len(list((folder / "segments").glob("*.parquet"))) == 10
    assert not system.written().differs_from(made.truth)
