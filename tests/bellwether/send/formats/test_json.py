"""JSON files: whatever stands around and between documents, each one is read; what is none costs
its own lines and is told (I9).
"""

import io
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.event import Parsed
from bellwether.send.formats.json.lines import DOCUMENT_BYTES_MAX, PIECE_BYTES_MAX
from bellwether.send.formats.registry import reader_for


def read(text: bytes) -> list[Parsed]:
    items = list(reader_for("json", text[:65536])(io.BytesIO(text)))
    ends = [item.end for item in items]
    assert ends == sorted(ends)
    assert all(end <= len(text) for end in ends)
    return items


def stored(text: bytes) -> list[object]:
    return [json.loads(item.data) for item in read(text) if item.error is None]


def lost(text: bytes) -> list[tuple[int, str]]:
    return [(item.line, item.error) for item in read(text) if item.error is not None]


A, B, C = {"a": 1}, {"b": {"c": [1, {"d": "}]"}]}}, {"c": 'x"{'}
ONE, TWO, THREE = (json.dumps(value).encode() for value in (A, B, C))
TALL = json.dumps(B, indent=2).encode()


@pytest.mark.parametrize(
    "text",
    [
        ONE + b"\n" + TWO + b"\n" + THREE,
        ONE + b"\r\n\r\n" + TWO + b"\r\n" + THREE + b"\r\n",
        ONE + TWO + THREE,
        ONE + b" " + TWO + b"\n" + THREE + b"\n",
        ONE + b",\n" + TWO + b",\n" + THREE + b",\n",
        b"[" + ONE + b"," + TWO + b",\n" + THREE + b"]",
        b"[\n" + ONE + b",\n" + TWO + b",\n" + THREE + b"\n]\n",
        b"[\n" + ONE + b"\n," + TWO + b"\n," + THREE + b"\n]\n",
        b"[" + ONE + b"]\n[" + TWO + b"," + THREE + b"]\n",
        b"[" + ONE + b"][" + TWO + b"][" + THREE + b"]",
        b"[[" + ONE + b"],[" + TWO + b"]]\n" + THREE,
        ONE + b"\n[" + TWO + b"]\n" + THREE + b"\n[]\n",
        b"\xef\xbb\xbf" + ONE + b"\n\xef\xbb\xbf" + TWO + b"\n\xef\xbb\xbf[" + THREE + b"]",
        b"\x1e" + ONE + b"\n\x1e" + TWO + b"\n\x1e" + THREE + b"\n",
        b"\x1e" + ONE + b"\x1e" + TWO + b"\x1e" + THREE,
        b"\x1e" + ONE + b"\n\x1e" + TALL + b"\n\x1e" + THREE,
        json.dumps(A, indent=2).encode() + b"\n" + TALL + b"\n" + THREE,
        json.dumps([A, B, C], indent=2).encode(),
        json.dumps([A, B, C], indent=0).encode(),
        json.dumps([A, B, C], indent="\t").encode() + b"\n",
        b"[{\n" + b'"a":1\n},' + TALL + b",{\n" + b'"c":"x\\"{"}]',
        ONE + b"\n" + TALL + TWO[:0] + b"\n\n\n" + THREE,
    ],
)
def test_documents_are_read_however_they_are_laid_out(text: bytes) -> None:
    assert stored(text) == [A, B, C]
    assert lost(text) == []


@pytest.mark.parametrize(
    ("bad", "count"),
    [
        (b"{bad", 1), (b'{"a":{"x":1},', 1), (b'{"a":"x', 1), (b"}", 1), (b"]", 1), (b"oops", 1),
        (b"null", 1), (b"17", 1), (b'"text"', 1), (b'{"a":1}}', 1), (b'{"a":1} oops', 1),
        (b'{"a":tru}', 1), (b'{"a" "b"}', 1), (b"{'a':1}", 1), (b'{"a":[1,2}', 1), (b"\xff\xfe", 1),
        (b'{"a":1,\n  "b":2,\n  "c":"x', 1), (b'{\n  "a": 1,\n}', 1), (b"{\n  bad\n}", 1),
        (b"# a comment", 1), (b'{"a":1\x00}', 1), (b'{"a":"x\n y"}', 1), (b"{", 1), (b'{"a":\n', 1),
        (b'{"a":[\n  {"x":1},\n  {"y":2}', 1), (b"{bad\nworse\n  still", 1), (b"oops\nagain", 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["first", "middle", "last", "pretty"])
def test_what_is_no_json_costs_its_own_lines_wherever_it_stands(
    bad: bytes, count: int, place: str
) -> None:
    before, behind = [A, B], [C, A]
    if place == "first":
        before = []
    if place == "last":
        behind = []
    indent = 2 if place == "pretty" else None
    parts = [json.dumps(v, indent=indent).encode() for v in before] + [bad]
    parts += [json.dumps(v, indent=indent).encode() for v in behind]
    text = b"\n".join(parts) + b"\n"
    assert stored(text) == before + behind
    assert len(lost(text)) == count
    line = b"\n".join(parts[: len(before)]).count(b"\n") + (2 if before else 1)
    assert lost(text)[0][0] == line
    assert "not a JSON object" in lost(text)[0][1]


@pytest.mark.parametrize("bad", [b"{bad}", b"17", b'"x"', b"null", b'{"a":tru}', b'{"a":"x', b"{a"])
def test_a_bad_element_of_an_array_costs_itself(bad: bytes) -> None:
    text = b"[\n" + ONE + b",\n" + bad + b",\n" + TWO + b",\n" + THREE + b"\n]\n"
    assert stored(text) == [A, B, C]
    assert [line for line, _ in lost(text)] == [3]
    if not bad.startswith((b'{"a":"x', b"{a")):  # what is not closed takes the rest of its line
        assert stored(text.replace(b"\n", b" ")) == [A, B, C]


def test_lines_that_are_lost_are_named() -> None:
    text = b'{\n "id": 1,\n "msg": "x\n' + ONE + b"\n"
    assert stored(text) == [A]
    assert "lines 1-3 are lost" in lost(text)[0][1]
    assert "line 1 is lost" in lost(b'{"a":"x\n' + ONE)[0][1]


def test_members_of_a_broken_document_are_no_events() -> None:
    inner = [{"x": n} for n in range(5)]
    broken = json.dumps({"list": inner, "n": 1}, indent=2).encode()[:-2] + b",}\n"
    assert stored(broken + ONE) == [A]
    cut = json.dumps({"list": inner}, indent=2).encode()[:-8]
    assert stored(cut) == []
    assert stored(cut + b"\n" + json.dumps(C, indent=2).encode()) == [C]


def test_a_document_that_the_file_ends_within_is_unfinished() -> None:
    for cut in (b'{"n":1,"m', b'{"n":1', b'{\n "n": 1,\n "m": "x"', b'{\n "n": 1,\n', b"{"):
        items = read(ONE + b"\n" + cut)
        assert [item.unfinished for item in items] == [False, True], cut
    assert not read(b'{"n":1,"m\n' + ONE)[0].unfinished
    assert not read(ONE)[0].unfinished


def test_an_array_on_one_line_may_be_longer_than_any_buffer() -> None:
    values = [{"n": n, "pad": "x" * (n % 5000)} for n in range(3000)]
    text = json.dumps(values).encode()
    assert len(text) > 3 * PIECE_BYTES_MAX
    assert stored(text) == values
    assert stored(text + b"\n" + ONE) == [*values, A]


def test_a_document_that_is_too_long_is_lost_and_the_next_one_read() -> None:
    pad = json.dumps({"list": ["x" * 1000] * (DOCUMENT_BYTES_MAX // 900)}, indent=2).encode()
    assert stored(pad + b"\n" + ONE) == [A]
    assert "longer than 4,000,000 bytes" in lost(pad + b"\n" + ONE)[0][1]
    line = json.dumps({"x": "y" * (DOCUMENT_BYTES_MAX * 2)}).encode()
    assert stored(line + b"\n" + ONE) == [A]
    assert len(lost(line + b"\n" + ONE)) == 1


def test_deep_brackets_cost_little() -> None:
    text = b'{"a":[\n' * 20_000 + b"}\n" + ONE
    assert stored(text) == [A]
    assert stored(b"[" * 5_000 + ONE + b"]" * 5_000) == [A]


def test_the_envelope_keeps_the_digits_of_its_time() -> None:
    items = read(b'{"time":1700000000.123456789,"data":{"i":1}}\n{"data":{"i":1},"samplerate":0}\n')
    assert [item.time for item in items] == ["1700000000.123456789", None]
    assert [item.sample_rate for item in items] == [None, None]
    rates = (b"1.5", b'"8"', b"-1", b'"abc"', b"null", b"[2]")
    written = b"".join(b'{"data":{"i":1},"samplerate":%b}\n' % rate for rate in rates)
    assert [item.sample_rate for item in read(written)] == [2, 8, None, None, None, None]


pieces = st.lists(
    st.sampled_from(
        [ONE, TWO, TALL, b"{", b"}", b"[", b"]", b",", b'"', b"\n", b":", b"x", b"\x1e"]
    ),
    max_size=30,
)


@given(pieces)
def test_nothing_is_passed_over_in_silence(found: list[bytes]) -> None:
    text = b"".join(found)
    items = read(text)
    rest = text.translate(None, b" \r\n,\x1e[]")
    assert bool(items) or not rest


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5)), min_size=1, max_size=6),
       st.integers(0, 2**32))  # fmt: skip
def test_documents_survive_any_mixture_of_layouts(found: list[object], seed: int) -> None:
    dice = random.Random(seed)
    text = b""
    for value in found:
        value = {"": "", **value} if isinstance(value, dict) else value
        written = json.dumps(value, indent=dice.choice([None, 0, 2])).encode()
        before, behind = dice.choice(
            [(b"", b"\n"), (b"[", b"]\n"), (b"\x1e", b"\n"), (b" ", b",\n")]
        )
        text += before + written + behind
    assert stored(text) == [{"": "", **value} for value in found if isinstance(value, dict)]
    assert lost(text) == []
