"""The public JSON parsing vectors: what must be read is read, what must be refused is refused."""

import pytest

from common.scan import fast_json, json_events
from common.scan.events import Accepted, MalformedBody
from indexer.shred.event import read_event
from indexer.shred.fast_event import read_event_fast
from indexer.shred.reference import ReadEvent
from tests.common.scan.json_vectors import ACCEPT, EITHER, REJECT, VECTORS

TABLE = pytest.mark.parametrize(
    ("wanted", "text"), [pytest.param(read, text, id=name) for name, read, text in VECTORS]
)

NO_NUMBERS = {
    *(b"[NaN]", b"[Infinity]", b"[-Infinity]"),
    *(text for name, _, text in VECTORS if name.endswith(("huge_exp", "_overflow"))),
}


def test_the_table_is_whole() -> None:
    assert (len(ACCEPT), len(REJECT), len(EITHER)) == (len(set(ACCEPT)), len(REJECT), len(EITHER))
    assert len(VECTORS) == len({name for name, _, _ in VECTORS}) > 250


@TABLE
@pytest.mark.parametrize("read", [read_event, read_event_fast])
@pytest.mark.parametrize("depth", [0, 2])
def test_as_a_value_of_an_event(read: ReadEvent, wanted: bool, text: bytes, depth: int) -> None:
    for event in (b'{"a":%b}', b'{"b":[1,%b ]}'):
        source = event.replace(b"%b", text)
        try:
            read(source, depth)
        except ValueError:
            assert not wanted
        else:
            assert wanted


@TABLE
@pytest.mark.parametrize("split", [json_events.split_batch, fast_json.split_batch])
def test_as_a_value_in_a_batch(split: object, wanted: bool, text: bytes) -> None:
    wanted = wanted or text in NO_NUMBERS  # mended, not refused
    body = b'[{"data":{"a":%b}}]'.replace(b"%b", text)
    try:
        (outcome,) = split(body, 0, 7)  # type: ignore[operator]  # one of the splitters
    except MalformedBody:
        assert not wanted
    else:
        assert isinstance(outcome, Accepted) == wanted
