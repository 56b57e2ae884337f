"""Every end of a call names its trace, which is the caller's if the call brings one."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import grpc.aio
import pytest

from shepherd.otlp.ingest import OtlpIngest
from tests.shepherd.otlp.grpc.calls import LOGS, METRICS, PROFILES, WITH_KEY, Client, client, spans

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = (("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),)
MESSAGE = spans([1]).SerializeToString()


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Client]:
    async with client(tmp_path) as running:
        yield running


def named(metadata: grpc.aio.Metadata | None) -> str:
    (found,) = (value for name, value in metadata or () if name == "x-trace-id")
    return str(found)


async def test_answers_and_refusals_name_the_callers_trace(
    it: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, message in (("", MESSAGE), (LOGS, b""), (METRICS, b"")):
        call = it.call(message, *([method] if method else []), metadata=(*WITH_KEY, *PARENT))
        await call
        assert named(await call.trailing_metadata()) == TRACE
    for message, metadata in ((MESSAGE, ()), (MESSAGE[:-1], WITH_KEY)):  # no key; not readable
        error = await it.refused(message, metadata=(*metadata, *PARENT))
        assert named(error.trailing_metadata()) == TRACE
    for method in (PROFILES, LOGS.replace("Export", "Import")):
        error = await it.refused(MESSAGE, method=method, metadata=PARENT)
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert named(error.trailing_metadata()) == TRACE

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OtlpIngest, "take", fail)
    error = await it.refused(MESSAGE, metadata=(*WITH_KEY, *PARENT))
    assert error.code() is grpc.StatusCode.INTERNAL
    assert named(error.trailing_metadata()) == TRACE


@pytest.mark.parametrize("parent", ["", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", f"00-{TRACE}"])
async def test_a_call_without_a_valid_trace_begins_one(it: Client, parent: str) -> None:
    metadata = (*WITH_KEY, *((("traceparent", parent),) if parent else ()))
    found = []
    for _ in range(2):
        call = it.call(MESSAGE, metadata=metadata)
        await call
        found.append(named(await call.trailing_metadata()))
    assert all(len(one) == 32 and one.strip("0123456789abcdef") == "" for one in found)
    assert len({*found, TRACE}) == 3
