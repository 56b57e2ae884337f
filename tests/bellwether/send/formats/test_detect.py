"""The format is told by the content, or refused with what each format would make of the lines."""

import pytest

from bellwether.send.choose import choose_format, named_format
from bellwether.send.event import UnknownFormat
from bellwether.send.formats.detect import RULES, NotSure, detect, detect_with_reason
from bellwether.send.formats.registry import NAMES
from bellwether.send.options import ReadOptions

SYSLOG = "Jun 14 15:16:0{} combo sshd(pam_unix)[1]: authentication failure; uid=0 euid=0 user=root"
ACCESS = '192.0.2.{} - - [17/May/2015:10:05:03 +0000] "GET /a, b=1 HTTP/1.1" 200 5 "-" "u; v"'
TRACE = "\tat a.b.C.d(C.java:12)\n"


def lines(shape: str, count: int = 5) -> str:
    return "".join(shape.format(n) + "\n" for n in range(count))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (lines(SYSLOG), "syslog"),
        (lines("<34>1 2003-10-11T22:14:1{}Z h su - - - a=1 b=2"), "syslog"),
        (lines("Dec 10 06:55:4{} LabSZ sshd[24200]: Connection closed by 1.2.3.4"), "syslog"),
        (lines("2024-01-02T03:04:0{}+00:00 web-1 nginx[12]: a=1 b=2 c=3"), "syslog"),
        (lines("08110{} 203615 148 INFO dfs.DataNode: a, b"), "text"),
        (lines("17/06/09 20:10:4{} INFO executor.X: Registered, signal"), "text"),
        (lines("2015-07-29 17:41:4{},747 - INFO  [a:B@1] - x, y"), "text"),
        (lines("2015-10-18 18:01:4{},978 INFO [main] org.apache.Foo: text, more"), "text"),
        (lines("nova.log.1.2017-05-16_13:53 2017-05-16 00:00:0{}.008 2 INFO n.x [r] a=1"), "text"),
        (lines("[Sun Dec 04 04:47:4{} 2005] [error] [client 1.2.3.4] x"), "apache_error"),
        (lines("2016/09/23 12:00:0{} [error] 1#2: *3 x, client: 1.1.1.1"), "nginx_error"),
        (lines(ACCESS), "combined"),
        (lines("www.example.com:80 " + ACCESS), "combined"),
        (lines("I0102 15:04:05.67890{}    1234 file.go:12] a=1 b=2"), "text"),
        (lines("level=info msg=\"a, b\" n={} time=2024-01-02T03:04:05Z"), "logfmt"),
        (lines("time=\"2024-01-02 03:04:05\" level=info msg={}"), "logfmt"),
        ("a,b\n1,2\n3,4\n", "csv"),
        ("time,level,message\n" + lines('2024-01-02 03:04:05,info,"a={}, b=2"'), "csv"),
        (",a,b\n0,1,2\n", "csv"), ("id,2019,a\nx,1,2\n", "csv"), ("a,,b\n1,2,3\n", "csv"),
        ("[1, 2]\n", "json"), ("Jul 29, 2015 5:41:44 PM a.B c\nINFO: x\n" * 3, "text"),
        ("a;b\n1;2\n", "csv"), ("a\tb\n1\t2\n3\t4\n", "tsv"), ("a|b\n1|2\n", "csv"),
        ("sep=;\na;b\n1;2\n", "csv"), ("# about\na,b\n1,2\n", "csv"),
        ("#Fields: date time s-ip\n2024-01-02 03:04:05 1.2.3.4\n", "csv"),
        ('{"a":1}\n', "json"), ("[{\"a\":1}]", "json"), ('{\n "a": 1\n}\n', "json"),
        ("[\n  {\n", "json"), ('{"a":1,\n', "json"), ("", "json"), ('\x1e{"a":1}\n', "json"),
        ('":5}\n' + lines('{{"a":{}}}'), "json"),
        ("2024-01-02 03:04:05 ERROR x\n" + TRACE * 400, "text"),
        ("Jan  1 00:00:00 h p: x\n" + "    y\n" * 40, "syslog"),
    ],
)  # fmt: skip
def test_the_content_tells_the_format(text: str, kind: str) -> None:
    assert detect_with_reason(text.encode(), "some.log").name == kind
    assert detect(b"\xef\xbb\xbf" + text.encode(), "some.log") == kind


PROSE = (
    "hello there\nthis is text\n",
    "Hello, world\nFoo, bar\nBaz, qux\n",
    "It was dark, and the rain fell.\nHe said, go away.\nShe left, slowly.\n",
    "Dear Sir,\nI write to you,\nyours,\n",
    "the answer a=1 is here\nand b=2 is there\n",
    "a sentence; with a semicolon\nanother; with one\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "one word\n",
    "WARNING:root:x\nERROR:a:b\n",
    "15:04:05.678 [main] DEBUG a.b.C -- x\n",
    lines(SYSLOG, 3) + lines("free text {}", 3),
    lines("level=info a={}", 3) + lines("free text {}", 3),
    lines("2024-01-02 03:04:05,web-{},5"),
)


@pytest.mark.parametrize("text", PROSE)
def test_what_is_not_sure_is_refused_and_shown(text: str) -> None:
    with pytest.raises(NotSure) as refused:
        detect_with_reason(text.encode(), "x.log")
    shown = str(refused.value)
    assert text.splitlines()[0] in shown
    assert "--format" in shown
    assert "--pattern" in shown
    assert set(refused.value.candidates) <= set(NAMES)
    assert "text" in refused.value.candidates


def test_a_table_without_names_is_shown_as_one() -> None:
    with pytest.raises(NotSure) as refused:
        detect_with_reason(b"1,2,3\n4,5,6\n", "x")
    assert "3 columns without names: --columns" in str(refused.value)
    assert refused.value.candidates == ("csv", "text")


@pytest.mark.parametrize("name", ["postgresql.csv", "x"])
def test_rows_without_names_are_no_text_where_quoted_values_have_commas_and_line_breaks(
    name: str,
) -> None:
    row = '2023-10-06 00:17:0{}.669 UTC,"app",7,ERROR,"a, {}",,"SELECT x\n\nFROM t, u",8,\n'
    data = "".join(row.format(n, "b" if n % 2 else "c, d") for n in range(4))
    for text in (data, data + '2023-10-06 00:17:09.669 UTC,"app",7,ERROR,"a, \n'):
        if name.endswith(".csv"):
            assert detect(text.encode(), name) == "csv"
        else:
            with pytest.raises(NotSure, match="9 columns without names: --columns") as refused:
                detect(text.encode(), name)
            assert "csv" in refused.value.candidates


def test_what_each_format_would_make_of_it_is_shown() -> None:
    text = lines(SYSLOG, 1) + lines("free text {}", 2)
    with pytest.raises(NotSure) as refused:
        detect_with_reason(text.encode(), "x")
    assert "syslog   1 of 3 lines: time=Jun 14 15:16:00  host=combo" in str(refused.value)
    assert refused.value.candidates[:2] == ("syslog", "text")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"), (b"PAR1\x15\x04", "Parquet"),
        (b"PK\x03\x04abc", "zip"), (b"\x00\x01" * 50, "zero bytes"),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused_with_a_remedy(head: bytes, why: str) -> None:
    with pytest.raises(UnknownFormat, match=why):
        detect_with_reason(head, "x")


def test_a_name_is_a_hint_only() -> None:
    assert detect(b"name\nann\n", "x.csv.gz") == "csv"
    assert detect(lines(ACCESS).encode(), "x.csv") == "combined"
    assert detect(b"first name, last name\nann, lee\n", "x.csv") == "csv"
    assert detect(b'{"a":1}\n', "x.log.1.zst") == "json"


def test_the_last_line_of_a_full_head_is_left_out() -> None:
    text = lines(ACCESS, 900).encode()
    read, of = detect_with_reason(text[: 64 * 1024], "x").why.split(" lines")[0].split(" of ")
    assert read == of


def test_every_rule_has_a_reason_and_a_share() -> None:
    assert all(rule.why and 0.5 <= rule.share <= 1 for rule in RULES)


def choose(text: str, kind: str | None = None, **options: object) -> str:
    return choose_format(text.encode(), "x", kind, ReadOptions(**options), None).name  # type: ignore[arg-type]  # the options' own types


def test_what_the_user_says_counts() -> None:
    assert choose("hello\n", "text") == "text"
    assert choose("hello\n", pattern="(?P<a>.*)") == "pattern"
    assert choose(lines(ACCESS), "auto") == "combined"
    assert choose("1,2\n", columns=("a", "b")) == "csv"
    with pytest.raises(UnknownFormat, match="leave out"):
        choose("hello\n", "csv", pattern="(?P<a>.*)")
    with pytest.raises(UnknownFormat, match="--continuation joins lines"):
        choose('{"a":1}\n', continuation="^ ")


@pytest.mark.parametrize("options", [{"pattern": "(?P<a>x+)*("}, {"pattern": "(?P<a>(x+)+)"},
                                     {"continuation": "("}, {"pattern": "x"}])  # fmt: skip
def test_expressions_are_tried_before_anything_is_read(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="--"):
        choose(lines(ACCESS), **options)
    with pytest.raises(ValueError, match="--"):
        named_format(None, ReadOptions(**options))  # type: ignore[arg-type]  # as above


def test_a_person_is_asked_where_no_format_is_sure() -> None:
    asked: list[tuple[str, ...]] = []

    def ask(text: str, candidates: tuple[str, ...]) -> str:
        assert "hello there" in text
        asked.append(candidates)
        return "text"

    found = choose_format(b"hello there\n", "x", None, ReadOptions(), ask)
    assert (found.name, asked) == ("text", [("text",)])
