"""Stack traces become one event with the line before them; what is not sure stays an event."""

import io

import pytest

from bellwether.send.event import Parsed
from bellwether.send.formats.registry import reader_for
from bellwether.send.formats.text.joined import ENTRY_BYTES_MAX, ENTRY_LINES_MAX
from bellwether.send.formats.text.patterns import BadPattern
from bellwether.send.options import ReadOptions

T = "2024-01-02 03:04:05 ERROR "


def read(text: str | bytes, kind: str = "text", **options: str) -> list[Parsed]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(reader_for(kind, data, ReadOptions(**options))(io.BytesIO(data)))  # type: ignore[arg-type]  # only texts here


def messages(items: list[Parsed]) -> list[object]:
    return [item.error or (item.members or {})["message"] for item in items]


JAVA = (
    "java.lang.IllegalStateException: no\n\tat a.b.C.d(C.java:12)\n\tat a.b.E.f(E.java:3)\n"
    "Caused by: java.io.IOException: disk\n\t... 23 more\n\tSuppressed: x.Y: z"
)
PYTHON = (
    'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    f()\n'
    "ValueError: bad\n\nDuring handling of the above exception, another exception occurred:\n\n"
    'Traceback (most recent call last):\n  File "b.py", line 2, in f\n    g()\nmy.mod.Odd: worse'
)
GO = (
    "goroutine 1 [running]:\nmain.f(0x1, 0x2)\n\t/tmp/x.go:8 +0x39\nmain.main()\n\t/tmp/x.go:4 "
    "+0x20\ncreated by main.start in goroutine 5"
)
NODE = "    at f (/x/a.js:1:2)\n    at Object.<anonymous> (/x/b.js:3:4)"


@pytest.mark.parametrize("trace", [JAVA, PYTHON, GO, NODE], ids=["java", "python", "go", "node"])
def test_stack_traces_are_one_event_with_their_line(trace: str) -> None:
    text = f"{T}first\n{trace}\n{T}second\n"
    items = read(text)
    assert messages(items) == [f"first\n{trace}", "second"]
    assert [item.line for item in items] == [1, 2 + len(trace.splitlines())]
    assert items[0].end == len(f"{T}first\n{trace}\n")
    assert items[0].source.decode().replace("\n\n", "\n") == f"{T}first\n{trace}".replace(
        "\n\n", "\n"
    )


def test_a_line_without_a_time_that_is_no_trace_is_an_event_of_its_time() -> None:
    items = read(f"no time yet\n{T}first\nplain text\nERROR: more\n\n2024-01-02 03:04:06 x\n")
    assert messages(items) == ["no time yet", "first", "plain text", "more", "x"]
    assert [item.time for item in items] == [
        None, *["2024-01-02 03:04:05"] * 3, "2024-01-02 03:04:06",
    ]  # fmt: skip


def test_the_two_lines_of_java_util_logging_are_one_event() -> None:
    head = "Jul 29, 2015 5:41:44 PM org.foo.Bar <init>"
    items = read(
        f"{head}\nSEVERE: no\njava.io.IOException: x\n\tat a.B.c(B.java:1)\n{head}\nINFO: y\n"
    )
    assert [item.members for item in items] == [
        {"level": "SEVERE", "message": "org.foo.Bar <init>\nSEVERE: no\njava.io.IOException: x\n"
         "\tat a.B.c(B.java:1)"},
        {"level": "INFO", "message": "org.foo.Bar <init>\nINFO: y"},
    ]  # fmt: skip


def test_an_indented_line_with_its_own_time_is_an_event() -> None:
    assert messages(read(f"{T}a\n  {T}b\n")) == ["a", "b"]


def test_a_bad_line_costs_itself_only() -> None:
    items = read(f"{T}a\n\tx\n".encode() + b"\xff\xfe\n\ty\n" + f"{T}b\n".encode())
    assert messages(items) == ["a\n\tx", "the line is not valid UTF-8", "\ty", "b"]
    assert [item.line for item in items] == [1, 3, 4, 5]


@pytest.mark.parametrize(("line", "count"), [("\tx", 3 * ENTRY_LINES_MAX), ("\t" + "x" * 999, 300)])
def test_a_long_entry_goes_on_in_further_events_and_nothing_is_lost(line: str, count: int) -> None:
    items = read(f"{T}first\n" + f"{line}\n" * count + f"{T}next\n")
    parts = [item.members or {} for item in items[:-1]]
    assert len(parts) > 2
    assert "\n".join(str(part["message"]) for part in parts) == "first" + f"\n{line}" * count
    assert [part.get("continued", 1) for part in parts] == list(range(1, len(parts) + 1))
    assert {(item.time, (item.members or {})["level"]) for item in items} == {
        ("2024-01-02 03:04:05", "ERROR")
    }
    assert max(len(str(part["message"]).encode()) for part in parts) <= ENTRY_BYTES_MAX


def test_the_user_says_what_goes_on() -> None:
    text = f"{T}a\n| b\n| c\n{T}d\n"
    assert messages(read(text, continuation=r"^\|")) == ["a\n| b\n| c", "d"]
    log = "level=info message=a\n  more\nlevel=info message=b\n"
    assert messages(read(log, "logfmt", continuation=r"^\s")) == ["a\n  more", "b"]
    negated = "x 1\ny\nx 2\n"
    items = read(negated, "pattern", pattern=r"x (?P<n>\d)", continuation="^(?!x)")
    assert [item.members for item in items] == [{"n": 1, "message": "\ny"}, {"n": 2}]


def test_a_bad_continuation_is_refused_before_anything_is_read() -> None:
    for kind in ("text", "syslog", "combined"):
        with pytest.raises(BadPattern, match="--continuation"):
            reader_for(kind, b"", ReadOptions(continuation="("))
