"""Readers: every format is told and read exactly; one bad line harms only itself (I9)."""

import bz2
import contextlib
import csv
import gzip
import hashlib
import io
import json
import lzma
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.event import Parsed, UnknownFormat
from bellwether.send.files.source import SourceError, open_source
from bellwether.send.formats import logfmt
from bellwether.send.formats.access import log as access_log
from bellwether.send.formats.detect import detect
from bellwether.send.formats.registry import reader_for
from bellwether.send.prepare.values import typed

COMBINED = (
    '203.0.113.9 - ann [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 203 '
    '"http://example.com/" "Mozilla/5.0 \\"quoted\\""'
)


def read(text: bytes, kind: str | None = None, name: str = "x") -> list[Parsed]:
    kind = kind or detect(text, name)
    return list(reader_for(kind, text)(io.BytesIO(text)))


def values(items: list[Parsed]) -> list[object]:
    return [item.error or event(item) for item in items]


def event(item: Parsed) -> dict[str, object]:
    """What is stored of an event."""
    found: dict[str, object] = orjson.loads(item.data or orjson.dumps(item.members))
    return found


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        (b'{"a":1}\n{"a":2}\n', "x", "json"),
        (b'[{"a":1}]', "x", "json"),
        (b"a,b\n1,2\n3,4\n", "x", "csv"),
        (b"a;b\n1;2\n", "x.csv.gz", "csv"),
        (b"a\tb\n1\t2\n3\t4\n", "x", "tsv"),
        (b'level=info msg="hello there" n=1\n', "x", "logfmt"),
        (COMBINED.encode() + b"\n", "x", "combined"),
        (b"", "x", "json"),
    ],
)
def test_formats_are_found_out(text: bytes, name: str, kind: str) -> None:
    assert detect(text, name) == kind


def test_a_format_that_cannot_be_told_is_asked_for() -> None:
    with pytest.raises(UnknownFormat, match="--format"):
        detect(b"hello there\nthis is text\n", "x")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress,
                                  zstandard.ZstdCompressor().compress])  # fmt: skip
def test_compressed_files_read_like_plain_ones(tmp_path: Path, pack: object) -> None:
    text = b"".join(b'{"n":%d}\n' % n for n in range(20_000))
    path = tmp_path / "x"
    path.write_bytes(pack(text))  # type: ignore[operator]  # each packs bytes
    source = open_source(str(path), 0)
    items = list(reader_for(detect(source.head, "x"), source.head)(source.stream))
    assert [orjson.loads(i.data)["n"] for i in items] == list(range(20_000))
    assert items[-1].end == len(text)
    assert source.prefix.digest_at(len(text)) == hashlib.sha256(text).hexdigest()


def test_a_file_that_is_missing_or_damaged_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        open_source(str(tmp_path / "none"), 0)
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"x" * 1000)[:11])
    with pytest.raises(SourceError, match="damaged gzip"):
        open_source(str(tmp_path / "x.gz"), 0)


def test_json_keeps_every_byte_of_an_event() -> None:
    text = b'{"n":12345678901234567890123,"f":1.10,"d":1,"d":2,"s":"\\ud800"}'
    assert read(text + b"\n")[0].data == text
    assert read(b"[" + text + b"]")[0].data == text


def test_a_bad_line_harms_only_itself() -> None:
    items = read(b'{"a":1}\n{bad\n[1]\n{"a":"\xff"}\n\n{"a":2}\n', "json")
    assert [item.line for item in items] == [1, 2, 3, 4, 6]
    assert [item.error is None for item in items] == [True, False, False, True, True]


def test_the_api_envelope_is_recognised() -> None:
    first, second = read(b'{"data":{"x":1},"time":"2020-01-01","samplerate":4}\n{"data":1}\n')
    assert (first.data, first.time, first.sample_rate) == (b'{"x":1}', "2020-01-01", 4)
    assert second.data == b'{"data":1}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), json_values, max_size=4).filter(
    lambda o: "data" not in o  # may look like an envelope
)


@given(st.lists(objects, max_size=5), st.sampled_from([None, 2]), st.booleans())
def test_documents_are_cut_exactly(
    found: list[dict[str, object]], indent: int, array: bool
) -> None:
    texts = [json.dumps(o, indent=indent) for o in found]
    text = "[" + ", ".join(texts) + "]\n" if array else "\n".join(texts) + "\n"
    items = read(text.encode(), "json")
    assert [json.loads(i.data) for i in items] == found


words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='="\\'), min_size=1)
texts = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))


@given(st.dictionaries(words, texts, min_size=1, max_size=5))
def test_quoted_logfmt_reads_back(pairs: dict[str, str]) -> None:
    escaped = {k: v.replace("\\", "\\\\").replace('"', '\\"') for k, v in pairs.items()}
    line = " ".join(f'{k}="{v}"' for k, v in escaped.items())
    assert logfmt.parse_line(line).members == pairs


@given(st.text(max_size=60))
def test_no_text_breaks_the_line_parsers(line: str) -> None:
    for parse in (logfmt.parse_line, access_log.parse_line):
        with contextlib.suppress(ValueError):
            parse(line.replace("\n", " "))


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["C"])), min_size=2, max_size=2)))
def test_csv_reads_what_csv_writes(rows: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["a", "b"], *rows])
    expected = [{k: v for k, v in zip("ab", row, strict=True) if v} for row in rows if any(row)]
    items = read(out.getvalue().encode(), "csv")
    got = [{k: v if isinstance(v, str) else None for k, v in event(i).items()}
           for i in items]  # fmt: skip
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.keys() == theirs.keys()
        assert all(v is None or v == theirs[k] for k, v in mine.items())


def test_csv_rows_go_over_lines_and_ragged_rows_are_refused() -> None:
    items = read(b'a,b\n"x\ny",2\n3\n4,5\n', "csv")
    assert values(items) == [
        {"a": "x\ny", "b": 2},
        "the row has 1 values, the header 2",
        {"a": 4, "b": 5},
    ]
    assert [item.line for item in items] == [2, 4, 5]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-1.50", -1.5), ("1e3", 1000.0), ("true", True), ("", None), ("1e99", 1e99),
        ("007", "007"), ("+1", "+1"), ("1.2.3", "1.2.3"), ("0x1", "0x1"), ("-0.0", -0.0),
        ("9223372036854775807", 9223372036854775807), ("False", "False"), ("1e400", "1e400"),
        ("9223372036854775808", "9223372036854775808"), ("NaN", "NaN"), ("١", "١"),
    ],
)  # fmt: skip
def test_untyped_text_becomes_a_number_only_if_it_is_one(text: str, value: object) -> None:
    assert repr(typed(text)) == repr(value)  # 1, 1.0 and True are three things


@pytest.mark.parametrize(
    ("request_line", "fields"),
    [
        ("GET / HTTP/1.0", {"method": "GET", "url": "/", "protocol": "HTTP/1.0"}),
        ("GET /a b c HTTP/1.1", {"method": "GET", "url": "/a b c", "protocol": "HTTP/1.1"}),
        ("GET /", {"method": "GET", "url": "/"}),
        ("-", {}),
        ("\\x16\\x03\\x01", {"request": "\x16\x03\x01"}),
        ("\\xff\\xfe probe", {"request": "\\xff\\xfe probe"}),
        ("quit", {"request": "quit"}),
        ('GET /\\"x\\" HTTP/1.1', {"method": "GET", "url": '/"x"', "protocol": "HTTP/1.1"}),
    ],
)
def test_odd_requests_of_real_logs_are_kept(request_line: str, fields: dict[str, str]) -> None:
    line = f'::1 - - [17/May/2015:10:05:03 +0000] "{request_line}" 400 - "-" "-"'
    found, date = access_log.parse_line(line)
    assert found == {"remote_host": "::1", "status": 400, **fields}
    assert date == "17/May/2015:10:05:03 +0000"


def test_combined_lines_keep_user_agent_and_what_follows() -> None:
    found, _ = access_log.parse_line(COMBINED + ' "10.0.0.1" 0.123')
    assert found["user"] == "ann"
    assert found["user_agent"] == 'Mozilla/5.0 "quoted"'
    assert (found["extra_1"], found["extra_2"]) == ("10.0.0.1", 0.123)


def test_a_line_that_was_cut_off_keeps_its_user_agent() -> None:
    found, _ = access_log.parse_line(COMBINED.split(" \\")[0])
    assert (found["referer"], found["user_agent"]) == ("http://example.com/", "Mozilla/5.0")
