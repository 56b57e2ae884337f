"""--pattern: named groups become fields; what cannot be used is refused with a remedy."""

import io
import threading

import pytest

from bellwether.send.formats.registry import reader_for
from bellwether.send.formats.text import patterns
from bellwether.send.formats.text.patterns import BadPattern, compile_pattern
from bellwether.send.options import ReadOptions


def test_groups_become_fields_and_the_time_is_passed_on() -> None:
    parse = compile_pattern(r"(?P<time>\S+) (?P<level>\w+) (?P<n>\S*) (?P<rest>.*)")
    found = parse("2024-01-02T03:04:05Z INFO 007 a b")
    assert found.time == "2024-01-02T03:04:05Z"
    assert found.members == {"level": "INFO", "n": "007", "rest": "a b"}
    assert parse("t INFO 12 ").members == {"level": "INFO", "n": 12}


@pytest.mark.parametrize("name", ["time", "timestamp", "@timestamp", "Time", "ts"])
def test_the_group_of_the_time_has_one_of_its_names(name: str) -> None:
    assert compile_pattern(rf"(?<{name}>\d+) (?<x>.)")("5 y") == ({"x": "y"}, "5")


def test_names_of_other_dialects_are_taken() -> None:
    parse = compile_pattern(r"(?<http.status>\d+) (?P<a-b>\w)(?P=a-b) (?:[(?P<x>]|\(\?P<y>)(?<=.)")
    assert parse("200 xx (").members == {"http.status": 200, "a-b": "x"}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("(", "character 1"), ("(?P<a>x)(?P<a>y)", "redefinition"), ("a(b", "character 2"),
        (r"\d+", "no named group"), ("(?P<>x)", "without a name"),
        ("(?P<a>*)", "nothing to repeat"), (r"(?P<a>(?:\w+\s?)*)", "for ever"),
        ("x" * 10_001, "10,000"), ("(?P<a>[z-a])", "bad character range"),
        ("(?P<a>(x+)+)", "for ever"), ("(?P<a>x*)*y", "for ever"),
        ("(?P<a>(x+){2,})", "for ever"), ("(?P<a>(x+){99})", "for ever"),
        ("(?P<a>((x+)y)*?)", "for ever"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_the_place(expression: str, why: str) -> None:
    with pytest.raises(BadPattern, match=why):
        compile_pattern(expression)


@pytest.mark.parametrize(
    "expression",
    [r"(?P<a>(?:\w++\s?)*)", r"(?P<a>(?:[^\"\\]|\\.)*)", r"(?P<a>(?:\d{1,3}\.){3}\d+)",
     r"(?P<a>(\w+\s)*+)", r"(?P<a>[(+)]+)", r"(?P<a>\(+\)+)"],
)  # fmt: skip
def test_expressions_that_end_are_taken(expression: str) -> None:
    assert compile_pattern(expression)


def test_a_line_that_does_not_match_whole_says_how_far_it_does() -> None:
    parse = compile_pattern(r"(?P<a>\d+) x")
    with pytest.raises(ValueError, match="first 3 characters: it goes on with 'yz'"):
        parse("1 xyz")
    with pytest.raises(ValueError, match="does not match"):
        parse("abc")
    with pytest.raises(ValueError, match=r"8,193 characters"):
        parse("1" * (patterns.PATTERN_LINE_CHARS_MAX + 1))


def test_an_expression_that_takes_too_long_is_refused_on_the_first_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patterns, "_TRIAL_CPU_S", 0.05)
    slow = r"(?P<a>.*.*.*.*.*.*x)"  # at 200 characters without an x: hours
    head = b"y" * 200 + b"\nz\n"
    with pytest.raises(BadPattern, match="too long"):
        reader_for("pattern", head, ReadOptions(pattern=slow))
    assert reader_for("pattern", b"yx\nz\n", ReadOptions(pattern=slow))


def test_in_another_thread_nothing_is_tried() -> None:
    found: list[object] = []
    thread = threading.Thread(
        target=lambda: found.append(
            reader_for("pattern", b"a\nb\n", ReadOptions(pattern="(?P<a>.*)"))
        )
    )
    thread.start()
    thread.join()
    assert len(found) == 1


def test_lines_are_read_or_refused_one_by_one() -> None:
    text = b"1 a\nbad\n2 b\n"
    read = reader_for("pattern", text, ReadOptions(pattern=r"(?P<n>\d+) (?P<message>\w+)"))
    items = list(read(io.BytesIO(text)))
    assert [item.members for item in items] == [
        {"n": 1, "message": "a"}, None, {"n": 2, "message": "b"},
    ]  # fmt: skip
    assert items[1].error is not None
    assert items[1].source == b"bad"
    with pytest.raises(BadPattern, match="needs --pattern"):
        reader_for("pattern", text)
