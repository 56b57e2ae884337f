"""`bellwether trace` prints what the API answers, in any width, with and without colour."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
from click.testing import CliRunner
from multidict import MultiDict

from bellwether.answers.rows.cells import width
from bellwether.answers.traces.pages import Line, read_line
from bellwether.answers.traces.waterfall import duration_text, line_text, plan_layout
from bellwether.cli import cli
from query.traces.one.document import encode_lines
from query.traces.one.event import TraceEvent
from query.traces.one.page import encode_page
from query.traces.one.request import read_trace_request
from query.traces.one.tree import Judging, build
from tests.bellwether.local_server import serving
from tests.system.harness import ROOT

S = 10**9
MS = 10**6
EVENTS = [
    TraceEvent("1", "", 1_000 * S, 4 * S, "create\x1b[31m", "web", "d"),
    TraceEvent("2", "1", 1_001 * S, 2 * S, "call", "db", "d", ("error",)),
    TraceEvent("", "2", 1_002 * S, None, "", "db", "d", annotation="span_event", message="m" * 999),
    TraceEvent("", "1", 1_000 * S, None, "", "web", "d", annotation="link", link_trace_id="cd"),
    TraceEvent("3", "1", 1_000 * S - 50 * MS, S, "early", "mail", "d"),
    TraceEvent("5", "4", 1_003 * S, S // 2, "orphan", "web", "d"),
]


def lines_of(events: list[TraceEvent]) -> list[Line]:
    tree = build(events, Judging(1_010 * S, 600 * S, 10 * MS))
    begin = min(line.start_ns for line in tree.lines)
    return [read_line(raw) for raw in map(_raw, encode_lines(tree.lines, 0, 10_000, begin))]


def _raw(line: bytes) -> msgspec.Raw:

    return msgspec.Raw(line)


class _Server(BaseHTTPRequestHandler):
    """One trace, `ab`, as the server's own code answers."""

    def do_GET(self) -> None:
        """The trace's pages."""
        parts = urlsplit(self.path)
        trace_id = parts.path.rpartition("/")[2]
        body, status = b'{"error":"no event has the trace id"}', 404
        if trace_id == "ab":
            wanted = read_trace_request(trace_id, MultiDict(parse_qsl(parts.query)), 1_010 * S)
            body, status = encode_page(wanted, EVENTS, {"coverage": _COVERED, "notes": []}), 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


_COVERED = {"complete": False, "partitions": [{"complete": False, "reason": "no indexer"}]}


def run(*arguments: str) -> tuple[int, str, str]:
    with serving(_Server) as url:
        done = CliRunner().invoke(cli, ["trace", *arguments, "--url", url, "--key", "k"])
    return done.exit_code, done.stdout, done.stderr


def test_the_waterfall_names_what_failed_what_is_missing_and_what_is_covered() -> None:
    code, shown, told = run("ab")
    assert code == 0, told
    lines = shown.splitlines()
    assert lines[0].startswith("trace ab, 1970-01-01 00:16:39.950Z: 4 spans, 4.05 s, 1 failed")
    assert "1 inferred" in lines[0]
    assert lines[1] == "services: web 2, db 1, mail 1"
    assert lines[2].split() == ["offset", "duration", "name"]
    names = [line[2 + 20 + 30 + 2 :] for line in lines[3:]]
    assert names[0] == "create\\x1b[31m  [web]", "control characters are written out"
    assert names[1].startswith("  early  [mail]  clock? 50 ms before its parent began")
    assert names[2] == "  link to trace cd"
    assert names[3] == "  call  [db]  ERROR"
    assert names[4].startswith("    - mmm")
    assert names[5].startswith("(missing span 4)  inferred, began then at the latest")
    assert [line[0] for line in lines[3:]] == [" ", " ", " ", "!", " ", "?", " "]
    assert "\x1b" not in shown
    assert "INCOMPLETE: 0 of 1 partitions (no indexer)" in told


def test_json_is_the_answer_and_pages_are_put_together() -> None:
    code, shown, told = run("ab", "--json")
    assert code == 0, told
    whole = json.loads(shown)
    assert len(whole["lines"]) == whole["lines_in_all"] == 7
    first = json.loads(run("ab", "--json", "-n", "3")[1])
    assert first["lines"] == whole["lines"][:3]
    assert first["next"] is not None
    assert "4 more lines (-n, --all)" in run("ab", "-n", "3")[2]


def test_several_pages_are_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellwether.answers.traces.pages.PAGE_LINES", 2)
    whole = json.loads(run("ab", "--json", "--all")[1])
    assert [line.get("name") for line in whole["lines"]] == [
        "create\x1b[31m", "early", "", "call", "", None, "orphan",
    ]  # fmt: skip
    assert whole["next"] is None
    shown = run("ab", "--all")[1].splitlines()
    assert len(shown) == 3 + 7


def test_a_trace_that_does_not_exist_and_wrong_options_are_refused_with_the_reason() -> None:
    code, _, told = run("ff")
    assert code == 1
    assert "no event has the trace id" in told
    assert run("ab", "--silent", "soon")[0] == 2
    assert run("ab", "--all", "-n", "3")[0] == 2


def test_a_line_never_is_wider_than_the_terminal_however_deep() -> None:
    deep = [
        TraceEvent(f"{n:x}", f"{n - 1:x}" if n > 1 else "", n * MS, 2_000 * MS, "語" * 40, "s" * 40)
        for n in range(1, 400)
    ]
    for columns in (40, 80, 200):
        layout = plan_layout(2_400.0, columns)
        for line in lines_of([*deep, *EVENTS]):
            assert width(line_text(line, layout)) <= columns, columns
    last = line_text(lines_of(deep)[-1], plan_layout(2_400.0, 120))
    assert "(398 deep)" in last


def test_bars_begin_and_end_where_the_span_does() -> None:
    events = [
        TraceEvent("1", "", 0, 100 * MS, "all"), TraceEvent("2", "1", 50 * MS, 25 * MS, "part"),
        TraceEvent("3", "1", 100 * MS, 0, "end"), TraceEvent("4", "1", 25 * MS, None, "open"),
    ]  # fmt: skip
    layout = plan_layout(100.0, None)
    bars = {line.name: line_text(line, layout)[22:52] for line in lines_of(events)}
    assert bars["all"] == "█" * 30
    assert bars["part"] == " " * 15 + "█" * 8 + " " * 7
    assert bars["end"] == " " * 29 + "█"
    assert bars["open"] == " " * 7 + "░" * 23


def test_durations_have_a_unit_that_fits() -> None:
    assert [duration_text(ms) for ms in (0, 0.000042, 0.25, 12.345678, 1_234.0, 90_000, 7.2e6)] == [
        "0", "42 ns", "250 µs", "12.35 ms", "1.234 s", "1.5 min", "2 h",
    ]  # fmt: skip


@pytest.mark.parametrize(("setting", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_failures_are_red_on_a_terminal_unless_colour_is_not_wanted(
    setting: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environ |= {"PYTHONPATH": str(ROOT), "COLUMNS": "100", **setting}
    with serving(_Server) as url:
        command = [sys.executable, "-m", "bellwether", "trace", "ab", "--url", url, "--key", "k"]
        done = subprocess.run(
            command, stdout=theirs, stderr=subprocess.DEVNULL, env=environ, timeout=60, check=False
        )
    os.close(theirs)
    printed = b""
    with contextlib.suppress(OSError):  # its end, where the other side is closed
        while read := os.read(ours, 65_536):
            printed += read
    os.close(ours)
    assert done.returncode == 0, printed
    failed = [line for line in printed.decode().splitlines() if "call  [db]  ERROR" in line]
    assert len(failed) == 1
    assert failed[0].startswith("\x1b[31m!") == coloured
    assert ("\x1b[" in printed.decode()) == coloured
