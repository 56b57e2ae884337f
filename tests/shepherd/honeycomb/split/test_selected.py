"""Which splitter serves: the reference at once, the compiled one when it is proved."""

import asyncio
import logging
from pathlib import Path

import orjson
import pytest

from common.metrics import kernel_active
from shepherd.config import ShepherdConfig
from shepherd.honeycomb.split import load_compiled
from shepherd.honeycomb.split.reference import ReferenceSplitter
from shepherd.honeycomb.split.selected import SelectedSplitter
from tests.kernel_cache import KERNEL_CACHE
from tests.shepherd.harness import TOKEN, Shepherd, shepherd

BATCH = [
    {"data": {"n": 1, "s": "é"}, "time": 1_700_000_000.25, "samplerate": 3},
    {"data": {}},
    {"data": {"n": 2}, "time": "2023-11-14T22:13:20Z"},
    7,
]


async def active(server: Shepherd) -> str:
    headers = {"X-Bellwether-Internal-Token": TOKEN}
    async with server.http.get(f"{server.internal}/internal/placement", headers=headers) as reply:
        return str((await reply.json())["splitter"])


async def test_a_shepherd_serves_at_once_and_the_same_with_the_kernel(tmp_path: Path) -> None:
    config = ShepherdConfig(port=0, kernel_cache=str(KERNEL_CACHE))
    async with shepherd(tmp_path, config) as server:
        before = await server.post("/1/batch/one", BATCH)
        assert before[0] == 200
        assert [item["status"] for item in before[1]] == [202, 400, 202, 400]
        async with asyncio.timeout(600):
            while await active(server) != "kernel":  # noqa: ASYNC110 - another process compiles
                await asyncio.sleep(0.05)
        assert kernel_active.labels("splitter")._value.get() == 1
        after = await server.post("/1/batch/two", BATCH)
        assert after[:2] == before[:2]
        many = await server.post("/1/batch/two", [{"data": {"n": n}} for n in range(20_000)])
        assert many[1] == [{"status": 202}] * 20_000
        found = [
            [(event.time_ns, event.rate, event.data) for event in await server.events(dataset)]
            for dataset in ("one", "two")
        ]
        stored = sorted(map(orjson.dumps, found[1]))
        assert sorted(map(orjson.dumps, found[0])) == [
            one for one in stored if orjson.loads(one)[0] < 1_700_000_001 * 10**9
        ]
        assert len(stored) == 20_002


@pytest.mark.parametrize("what", ["a trial body comes out wrong", "no compiler"])
async def test_where_the_kernel_cannot_be_proved_the_reference_goes_on(
    what: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    folder = KERNEL_CACHE
    if what == "no compiler":
        folder = tmp_path / "file" / "below"
        folder.parent.write_text("in the way")
    else:

        class Wrong(ReferenceSplitter):
            def split(self, *arguments: object) -> object:  # type: ignore[override]  # a stand-in
                found = super().split(*arguments)  # type: ignore[arg-type]  # passed on as they are
                return type(found)(found.events + 1, found.lines, found.refused)

        monkeypatch.setattr(load_compiled, "ReferenceSplitter", Wrong)
    splitter = SelectedSplitter()
    with caplog.at_level(logging.ERROR):
        await splitter.use_compiled(folder)
    assert splitter.name == "reference"
    assert kernel_active.labels("splitter")._value.get() == 0
    assert "the compiled splitter cannot be used; the reference goes on" in caplog.text
