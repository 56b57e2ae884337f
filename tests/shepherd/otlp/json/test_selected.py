"""Which transcoder serves: the reference at once, the compiled one when it is proved."""

import logging
from pathlib import Path

import pytest

from common.metrics import kernel_active
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json import load_compiled
from shepherd.otlp.json.selected import SelectedTranscoder
from shepherd.otlp.json.transcode import ReferenceTranscoder
from tests.kernel_cache import KERNEL_CACHE
from tests.shepherd.otlp.json.same import RECORDED


async def test_the_compiled_one_serves_once_it_is_proved() -> None:
    transcoder = SelectedTranscoder()
    before = transcoder.to_protobuf(Signal.TRACES, RECORDED["traces"].encode(), Work())
    assert transcoder.name == "reference"
    await transcoder.use_compiled(KERNEL_CACHE)
    assert transcoder.name == "kernel"
    assert kernel_active.labels("transcoder")._value.get() == 1
    after = transcoder.to_protobuf(Signal.TRACES, RECORDED["traces"].encode(), Work())
    assert after == before


async def test_where_a_trial_comes_out_wrong_the_reference_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    class Wrong(ReferenceTranscoder):
        def to_protobuf(self, signal: Signal, text: bytes, work: Work) -> bytes:
            return super().to_protobuf(signal, text, work) + b"\x00"

    monkeypatch.setattr(load_compiled, "ReferenceTranscoder", Wrong)
    transcoder = SelectedTranscoder()
    with caplog.at_level(logging.ERROR):
        await transcoder.use_compiled(KERNEL_CACHE)
    assert transcoder.name == "reference"
    assert "the compiled transcoder cannot be used; the reference goes on" in caplog.text
