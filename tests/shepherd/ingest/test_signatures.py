"""Events with a stack get a signature when they arrive, whatever protocol they come by."""

import json
from pathlib import Path

import pytest

from common import limits
from common.scan.events import Accepted
from common.scan.work_budget import TooMuchWork, Work
from common.signature.signature import signature
from shepherd.ingest.decoded_events import Decoded, decoded
from shepherd.ingest.signatures import SIGNATURE, signed, with_signatures
from tests.shepherd.harness import shepherd

STACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nKeyError: 1\n'
FAULT = {"exception.stacktrace": STACK, "exception.type": "KeyError"}
EXPECTED = "v1 KeyError in a.f"


def events(*data: bytes) -> Decoded:
    return decoded([Accepted(n, 1, one) for n, one in enumerate(data)])


def lines_of(found: Decoded) -> list[dict[str, object]]:
    lines = found.lines
    ends, starts = lines.line_bytes.cumsum().tolist(), [0]
    starts += ends[:-1]
    parsed = []
    for start, end, size in zip(starts, ends, lines.data_bytes.tolist(), strict=True):
        line = lines.text[start:end]
        parsed.append(json.loads(line)["d"])
        assert json.loads(line[-2 - size : -2]) == parsed[-1]
        assert line.endswith(b"}\n")
    assert ends[-1] == len(lines.text)
    return parsed


def test_events_with_a_stack_get_one_and_others_stay_as_they_are() -> None:
    plain = b'{ "a" : 1 }'
    fault = json.dumps(FAULT).encode()
    sent = events(plain, fault, plain, fault)
    found = lines_of(with_signatures(sent, Work()))
    assert found == [{"a": 1}, {**FAULT, SIGNATURE: EXPECTED}] * 2
    untouched = events(plain)
    assert with_signatures(untouched, Work()) is untouched


@pytest.mark.parametrize(
    "data",
    [
        {"exception.stacktrace": 5},
        {"exception.stacktrace": ""},
        {"text": '"exception.stacktrace":"x"'},
        {"nested": {"exception.stacktrace": STACK}},
        {**FAULT, SIGNATURE: "the sender's own"},
        {**FAULT, **{f"f{n}": n for n in range(limits.EVENT_FIELDS_MAX - 2)}},
        {**FAULT, "x": "y" * (limits.EVENT_BYTES_MAX - len(json.dumps(FAULT)) - 9)},
    ],
)
def test_events_that_get_none_are_stored_as_they_are(data: dict[str, object]) -> None:
    text = json.dumps(data).encode()
    assert lines_of(with_signatures(events(text), Work())) == [data]
    assert signed(text, Work()) == text


def test_stacks_are_work_and_a_repeated_one_is_read_once() -> None:
    fault = json.dumps({"exception.stacktrace": "frame\n" * 5_000}).encode()
    other = json.dumps({"exception.stacktrace": "fname\n" * 5_000}).encode()
    with pytest.raises(TooMuchWork):
        with_signatures(events(fault, other), Work(3_000))
    assert SIGNATURE in lines_of(with_signatures(events(fault, fault, fault), Work(3_000)))[2]


async def test_a_batch_and_a_single_event_are_stored_with_it(tmp_path: Path) -> None:
    nested = {"exception": {"type": "KeyError", "stacktrace": STACK}}
    async with shepherd(tmp_path) as server:
        batch = [{"data": FAULT}, {"data": {"n": 1}}, {"data": nested}]
        assert (await server.post("/1/batch/d", json.dumps(batch)))[0] == 200
        assert (await server.post("/1/events/d", json.dumps(FAULT)))[0] == 200
        stored = [event.data for event in await server.events("d")]
    with_one = {**FAULT, SIGNATURE: EXPECTED}
    assert sorted(stored, key=str) == sorted([with_one, {"n": 1}, nested, with_one], key=str)
    assert signature(STACK) == EXPECTED
