"""CSV and TSV as real programs write them: no value and no row is lost without a word."""

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.event import Parsed, UnknownFormat
from bellwether.send.formats.registry import reader_for
from bellwether.send.options import ReadOptions
from bellwether.send.prepare.values import ColumnTexts, json_value, typed


def read(data: bytes, kind: str = "csv", **options: object) -> list[Parsed]:
    chosen = ReadOptions(**options)  # type: ignore[arg-type]
    return list(reader_for(kind, data, chosen)(io.BytesIO(data)))


def stored(data: bytes, kind: str = "csv", **options: object) -> list[object]:
    return [orjson.loads(item.data) for item in read(data, kind, **options) if item.error is None]


def refused(data: bytes, kind: str = "csv") -> dict[int, str]:
    return {item.line: item.error for item in read(data, kind) if item.error is not None}


@pytest.mark.parametrize(
    ("data", "kind", "lines", "good"),
    [
        (b'id,msg\n1,ok\n2,"open\n3,c\n4,d\n', "csv", [3], [1, 3, 4]),
        (b'id,msg\n"1,ok\n2,b\n3,c\n', "csv", [2], [2, 3]),
        (b'id\tmsg\n1\t"five inch\n2\tx\n3\ty\n', "tsv", [2], [2, 3]),
        (b'id,msg\n1,"open\n2,"good, one"\n3,"open\n4,x\n', "csv", [2, 4], [2, 4]),
        (b'id,msg\n1,"open\n2,"two\nlines"\n3,x\n', "csv", [2], [2, 3]),
        (b'id,msg\n1,a"b"c\n2,"last', "csv", [3], [1]),
        (b'id,msg\n1,"open\n2,\xff\n3,"x"\n', "csv", [2, 3], [3]),
    ],
)
def test_a_quote_that_is_never_closed_costs_its_own_line(
    data: bytes, kind: str, lines: list[int], good: list[int]
) -> None:
    assert list(refused(data, kind)) == lines
    assert [row["id"] for row in stored(data, kind)] == good  # type: ignore[index]


def test_a_value_with_quotes_in_wrong_places_stays_as_it_stands() -> None:
    data = b'id,msg\n1,"5" pipe\n2,5" pipe\n3,"a ""b"""\n4,"x"y"z"\n'
    assert [row["msg"] for row in stored(data)] == [  # type: ignore[index]
        '"5" pipe', '5" pipe', 'a "b"', 'x"y"z',
    ]  # fmt: skip


def test_backslashes_before_quotes_are_read_where_a_file_has_them() -> None:
    data = b'id,msg\n1,"he said \\"hi, all\\" twice"\n2,"x"\n'
    assert stored(data) == [{"id": 1, "msg": 'he said "hi, all" twice'}, {"id": 2, "msg": "x"}]
    assert stored(b'id,path\n1,"C:\\new"\n') == [{"id": 1, "path": "C:\\new"}]


def test_a_backslash_that_escapes_no_quote_stays_in_a_file_that_has_such_escapes() -> None:
    rows = [r'"a\"b"', r'"C:\new\dir"', r'"x\ty\\z"', r'"\\"', r'"a\,b"', r"C:\dir"]
    data = "".join(f"{number},{row}\n" for number, row in enumerate(rows))
    found = [item["p"] for item in stored(f"id,p\n{data}".encode())]  # type: ignore[index]
    assert found == ['a"b', r"C:\new\dir", r"x\ty\z", "\\", r"a\,b", r"C:\dir"]


@pytest.mark.parametrize("first", ["1,x", r'1,"a\"b"'])
def test_what_databases_write_where_there_is_no_value_is_none(first: str) -> None:
    data = f"id,n\n{first}\n2,\\N\n3,\n4,NULL\n".encode()
    assert stored(data)[1:] == [{"id": 2}, {"id": 3}, {"id": 4, "n": "NULL"}]
    assert stored(b"id\tn\n1\t\\N\n", "tsv") == [{"id": 1}]


def test_line_breaks_in_values_are_kept() -> None:
    data = b'a,b\r\n"x\r\n\r\ny\nz",2\r\n3,4\r\n'
    assert stored(data) == [{"a": "x\r\n\r\ny\nz", "b": 2}, {"a": 3, "b": 4}]
    assert [item.line for item in read(data)] == [2, 6]
    assert stored(b"a,b\r1,2\r3,4\r") == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"id,id,name\n1,2,Al\n", {"id": 1, "id_2": 2, "name": "Al"}),
        (b"a, a\n1,2\n", {"a": 1, "a_2": 2}),
        (b",x,\n7,8,9\n", {"column_1": 7, "x": 8, "column_3": 9}),
        (b"a,a,a\n1,2,3\n", {"a": 1, "a_2": 2, "a_3": 3}),
        (b"a,a,a_2\n1,2,3\n", {"a": 1, "a_3": 2, "a_2": 3}),
    ],
)
def test_a_column_name_that_comes_twice_keeps_both_values(
    data: bytes, row: dict[str, object]
) -> None:
    assert stored(data) == [row]


@pytest.mark.parametrize(
    "data",
    [
        b"sep=;\na;b\n1;2\n",
        b"\xef\xbb\xbfsep=,\r\na,b\r\n1,2\r\n",
        b"\na,b\n1,2\n",
        b"\r\n\r\na,b\r\n1,2\r\n",
        b"# made by x, version 2\n#\na,b\n1,2\n",
        b",,\na,b\n1,2\n",
        b"a|b\n1|2\n",
        b"a\tb\n1\t2\n",
        b"a,b,\n1,2,\n",
        b"a,b\n1,2,\n",
        b"a,b\n1,2\na,b\n",
        b"a,b\n\n1,2\n,\n",
    ],
)
def test_what_stands_above_and_between_the_rows_is_no_event(data: bytes) -> None:
    assert stored(data) == [{"a": 1, "b": 2}]
    assert refused(data) == {}


def test_delimiters_within_quoted_names_and_values_are_no_delimiters() -> None:
    assert stored(b'"last, first, mid";a;b\nx;1;2\n') == [{"last, first, mid": "x", "a": 1, "b": 2}]
    assert stored(b'a;b\r\n;"\r"\r\n;"\r"\r\n') == [{"b": "\r"}] * 2
    assert stored(b"a;b\n1,5;2,5\n3,5;4,5\n")[0] == {"a": "1,5", "b": "2,5"}


def test_a_file_without_names_is_asked_about() -> None:
    data = b"2015-05-17T10:05:03Z,web,200\n2015-05-17T10:05:04Z,web,500\n"
    with pytest.raises(UnknownFormat, match="--columns"):
        read(data)
    assert stored(data, no_header=True)[0] == {
        "column_1": "2015-05-17T10:05:03Z", "column_2": "web", "column_3": 200,
    }  # fmt: skip
    named = stored(data, columns=("time", "service", "status"))
    assert named[1] == {"time": "2015-05-17T10:05:04Z", "service": "web", "status": 500}
    assert len(named) == 2
    assert len(stored(b"a,b\n1,2\n", columns=("a", "b"))) == 1
    with pytest.raises(UnknownFormat, match="names 2 columns, line 1 has 3"):
        read(data, columns=("a", "b"))
    assert stored(b"2015,2016\n1,2\n", header=True) == [{"2015": 1, "2016": 2}]


def test_columns_that_a_comment_names_are_read_by_it() -> None:
    iis = (
        b"#Software: x\r\n#Fields: date time cs-uri-stem sc-status cs(User-Agent)\r\n"
        b"2015-05-17 10:05:03 /a 200 Mozilla/5.0+(X11)\r\n"
        b"#Fields: date time sc-status\r\n2015-05-17 10:05:04 404\r\n2015-05-17 10:05:05 -\r\n"
    )
    assert stored(iis) == [
        {"date": "2015-05-17", "time": "10:05:03", "cs-uri-stem": "/a", "sc-status": 200,
         "cs(User-Agent)": "Mozilla/5.0+(X11)"},
        {"date": "2015-05-17", "time": "10:05:04", "sc-status": 404},
        {"date": "2015-05-17", "time": "10:05:05"},
    ]  # fmt: skip
    cloudfront = b'#Version: 1.0\n#Fields: date time x-edge c-ip\n2015-05-17\t10:05:03\tA "b\t-\n'
    assert stored(cloudfront) == [{"date": "2015-05-17", "time": "10:05:03", "x-edge": 'A "b'}]
    zeek = (
        b"#separator \\x09\n#fields\tts\tuid\n#types\ttime\tstring\n1431857103.5\tC1\n#close\tx\n"
    )
    assert stored(zeek) == [{"ts": 1431857103.5, "uid": "C1"}]


def test_rows_of_another_width_and_bad_bytes_are_refused_with_their_reason() -> None:
    found = refused(b'a,b\n1\n1,2,3\n\xff,1\n"\xff\n2,2\n')
    assert list(found) == [2, 3, 4, 5]
    assert "1 values, the header 2" in found[2]
    assert "UTF-8" in found[4]
    with pytest.raises(UnknownFormat, match="should name the columns"):
        read(b'"a,b\n1,2\n')


# a byte order mark before a row is that of a file which was joined
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=8)


@given(st.lists(st.lists(texts, min_size=3, max_size=3), max_size=8), st.sampled_from(",;\t|"))
def test_what_is_written_as_csv_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    names = ["first", "second", "third"]
    csv.writer(out, delimiter=delimiter).writerows([names, *rows])
    found = read(out.getvalue().encode())
    kept = [row for row in rows if any(row) and row != names]
    assert [item.error for item in found] == [None] * len(kept)
    for item, row in zip(found, kept, strict=True):
        members = orjson.loads(item.data)
        assert [str(members.get(name, "")) for name in names] == [
            {"true": "True", "false": "False"}.get(value, value) for value in row
        ] or any(value[:1] in "-0123456789\\" and value for value in row)


@given(st.binary(max_size=60) | st.text('",;a\n\r\\', max_size=40).map(str.encode))
def test_no_bytes_break_the_reader_and_every_line_is_answered_for(data: bytes) -> None:
    table = b"a,b\n" + data
    try:
        found = read(table)
    except UnknownFormat:
        return
    ends = [item.end for item in found]
    assert ends == sorted(ends)
    assert all(end <= len(table) for end in ends)


def test_a_wide_table_is_remembered_in_no_more_memory_than_a_narrow_one() -> None:
    wide = [ColumnTexts(f"c{n}", columns=2_000) for n in range(2_000)]
    for number in range(200):
        for texts in wide:
            assert texts[str(number)].endswith(b":%d" % number)
    assert sum(map(len, wide)) <= 200_000
    narrow = ColumnTexts("c", columns=10)
    for number in range(5_000):
        assert narrow[str(number)] == b'"c":%d' % number
    assert len(narrow) == 4_096


@given(
    st.text(max_size=12)
    | st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
    | st.sampled_from(["true", "9223372036854775807", "9223372036854775808", "1e99", "-0", "007"])
)
def test_cells_and_other_texts_follow_one_rule_of_values(text: str) -> None:
    value = typed(text)
    written = json_value(text)
    if value is None:
        assert written == b""
    else:
        assert orjson.loads(written) == orjson.loads(orjson.dumps(value))
        assert isinstance(value, str) or written == text.encode()
