"""Logs as text: time, level, logger and thread where they stand, the rest in the message."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.formats.text import text
from bellwether.send.formats.text.time import TIMES, find_time
from common.model.times.reader import TimeReader

NOW_NS = 1_764_360_000 * 10**9
REQUEST = "req-38101a0b-2096-447d-96ea-a692162415ae"


@pytest.mark.parametrize(
    ("line", "time", "fields"),
    [
        (  # HDFS
            "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for blk_3886",
            "081109 203615",
            {"pid": 148, "level": "INFO", "logger": "dfs.DataNode$PacketResponder"}
            | {"message": "PacketResponder 1 for blk_3886"},
        ),
        (
            "081109 204005 35 INFO dfs.FSNamesystem: BLOCK* NameSystem.add: 10.251.73.220:50010",
            "081109 204005",
            {"pid": 35, "level": "INFO", "logger": "dfs.FSNamesystem"}
            | {"message": "BLOCK* NameSystem.add: 10.251.73.220:50010"},
        ),
        (  # Spark
            "17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: handlers for [TERM]",
            "17/06/09 20:10:40",
            {"level": "INFO", "logger": "executor.CoarseGrainedExecutorBackend"}
            | {"message": "handlers for [TERM]"},
        ),
        (  # ZooKeeper
            "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:"
            "FastLeaderElection@774] - Notification time out: 3200",
            "2015-07-29 17:41:44,747",
            {"level": "INFO", "thread": "QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181"}
            | {"logger": "FastLeaderElection", "line": 774}
            | {"message": "Notification time out: 3200"},
        ),
        (
            "2015-07-29 19:13:24,282 - WARN  [RecvWorker:188978561024:QuorumCnxManager$RecvWorker"
            "@762] - Connection broken for id 188978561024, my id = 1, error = ",
            "2015-07-29 19:13:24,282",
            {"level": "WARN", "thread": "RecvWorker:188978561024", "line": 762}
            | {"logger": "QuorumCnxManager$RecvWorker"}
            | {"message": "Connection broken for id 188978561024, my id = 1, error = "},
        ),
        (  # Hadoop
            "2015-10-18 18:01:48,963 INFO [Socket Reader #1 for port 62260] org.apache.hadoop.ipc."
            "Server: Starting Socket Reader #1",
            "2015-10-18 18:01:48,963",
            {"level": "INFO", "thread": "Socket Reader #1 for port 62260"}
            | {"logger": "org.apache.hadoop.ipc.Server", "message": "Starting Socket Reader #1"},
        ),
        (  # OpenStack
            f"nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.osapi.wsgi"
            f' [{REQUEST} 113d 54fa - - -] 10.11.10.1 "GET /v2/x HTTP/1.1" status: 200',
            "2017-05-16 00:00:00.008",
            {"source": "nova-api.log.1.2017-05-16_13:53:08", "pid": 25746, "level": "INFO"}
            | {"logger": "nova.osapi.wsgi", "request_id": REQUEST}
            | {"message": f'[{REQUEST} 113d 54fa - - -] 10.11.10.1 "GET /v2/x HTTP/1.1" status: '
               "200"},
        ),
        (
            "I0102 15:04:05.678901    1234 file.go:12] klog says",
            "0102 15:04:05.678901",
            {"level": "INFO", "pid": 1234, "file": "file.go", "line": 12, "message": "klog says"},
        ),
        (
            "2024-01-02T03:04:05.678Z  WARN 12345 --- [app] [nio-8080-exec-1] o.s.Foo   : text",
            "2024-01-02T03:04:05.678Z",
            {"level": "WARN", "pid": 12345, "app": "app", "thread": "nio-8080-exec-1"}
            | {"logger": "o.s.Foo", "message": "text"},
        ),
        (
            "2015-07-29 17:41:44.747 [main] INFO  c.f.Bar - text",
            "2015-07-29 17:41:44.747",
            {"thread": "main", "level": "INFO", "logger": "c.f.Bar", "message": "text"},
        ),
        (
            "2024-01-02 03:04:05,678 - some.name - WARNING - text here",
            "2024-01-02 03:04:05,678",
            {"logger": "some.name", "level": "WARNING", "message": "text here"},
        ),
        (
            "[2024-01-02 03:04:05 +0000] [1234] [INFO] Booting worker",
            "2024-01-02 03:04:05 +0000",
            {"pid": 1234, "level": "INFO", "message": "Booting worker"},
        ),
        (
            "[2024-01-02 03:04:05,678: INFO/MainProcess] ready",
            "2024-01-02 03:04:05,678",
            {"level": "INFO", "process": "MainProcess", "message": "ready"},
        ),
        (
            '2024-01-02 03:04:05.678 UTC [1234] joe@db ERROR:  relation "x" does not exist',
            "2024-01-02 03:04:05.678 UTC",
            {"pid": 1234, "user": "joe", "database": "db", "level": "ERROR"}
            | {"message": 'relation "x" does not exist'},
        ),
        (
            "I, [2024-01-02T03:04:05.678901 #1234]  INFO -- : text",
            "2024-01-02T03:04:05.678901",
            {"level": "INFO", "pid": 1234, "message": "text"},
        ),
        (
            "[2024-01-02T03:04:05,678][INFO ][o.e.n.Node               ] [node-1] started",
            "2024-01-02T03:04:05,678",
            {"level": "INFO", "logger": "o.e.n.Node", "message": "[node-1] started"},
        ),
        (
            "2016-09-28 04:30:30, Info                  CBS    Loaded",
            "2016-09-28 04:30:30",
            {"level": "Info", "message": "CBS    Loaded"},
        ),
        (
            "17-May-2015 10:05:03.123 INFO [main] org.apache.catalina.Foo.start Server startup",
            "17-May-2015 10:05:03.123",
            {"level": "INFO", "thread": "main", "logger": "org.apache.catalina.Foo.start"}
            | {"message": "Server startup"},
        ),
        (
            "2016-10-06T00:17:09.669794202Z stdout F log: x",
            "2016-10-06T00:17:09.669794202Z",
            {"stream": "stdout", "tag": "F", "message": "log: x"},
        ),
        (
            "03-17 16:13:38.811  1702  2395 D WindowManager: printing",
            "03-17 16:13:38.811",
            {"pid": 1702, "tid": 2395, "level": "DEBUG", "logger": "WindowManager"}
            | {"message": "printing"},
        ),
        (
            "INFO  [main] 2024-01-02 03:04:05,678 Daemon.java:123 - text",
            "2024-01-02 03:04:05,678",
            {"level": "INFO", "thread": "main", "file": "Daemon.java", "line": 123}
            | {"message": "text"},
        ),
        ("2009/11/10 23:00:00 hello", "2009/11/10 23:00:00", {"message": "hello"}),
        ("[Sun Dec 04 04:47:44 2005] [notice] x", "Dec 04 04:47:44 2005",
         {"level": "notice", "message": "x"}),
        ("1117838570 host x", "1117838570", {"message": "host x"}),
        ("app.log:2024-01-02 03:04:05 x", "2024-01-02 03:04:05",
         {"source": "app.log", "message": "x"}),
        ("WARNING:root:x", None, {"level": "WARNING", "logger": "root", "message": "x"}),
        ("15:04:05.678 [main] DEBUG a.b.C -- x", None,
         {"time_of_day": "15:04:05.678", "thread": "main", "level": "DEBUG", "logger": "a.b.C",
          "message": "x"}),
    ],
)  # fmt: skip
def test_known_shapes_give_their_fields(
    line: str, time: str | None, fields: dict[str, object]
) -> None:
    found = text.parse_line(line)
    assert (found.members, found.time) == (fields, time)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2024-01-02 03:04:05 Error opening file", "Error opening file"),
        ("2024-01-02 03:04:05 ERROR IOException: disk", "IOException: disk"),
        ("2024-01-02 03:04:05 heroku[router]: at=info", "heroku[router]: at=info"),
        ("2024-01-02 03:04:05 level=info a=1", "level=info a=1"),
        ("2024-01-02 03:04:05  two blanks", " two blanks"),
        ("[2024-01-02 03:04:05, odd bracket] x", "[2024-01-02 03:04:05, odd bracket] x"),
        ("[1.234567] usb 1-1: new", "[1.234567] usb 1-1: new"),
        ("12345 is no time", "12345 is no time"),
        ("2024-01-02 is a date", "2024-01-02 is a date"),
        ("just a sentence: with a colon", "just a sentence: with a colon"),
    ],
)
def test_what_is_not_surely_a_level_or_logger_stays_in_the_message(line: str, message: str) -> None:
    assert text.parse_line(line).members["message"] == message


@pytest.mark.parametrize(("shape", "example"), TIMES)
def test_every_shape_of_time_is_read_by_the_reader_of_times(shape: str, example: str) -> None:
    assert re.fullmatch(shape, example)
    reader = TimeReader(NOW_NS)
    reader.learn([example], short_year_first=True)
    for line in (f"{example} INFO x", f"[{example}] x"):
        time = text.parse_line(line).time
        assert time is not None
        assert example.endswith(time)
        assert reader.read(time) is not None


LETTERS = re.compile(r"\w")


@given(
    st.sampled_from([example for _, example in TIMES]),
    st.sampled_from(["", "INFO ", "- WARN  [main:Class@12] - ", "[main] ERROR a.b.C - ",
                     "12 DEBUG a.b.C: ", "[error] ", ": INFO/x] ", "INFO 1 --- [t] a.B : "]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(["", "[", "file.log ", "INFO ", "I, ["]),
)  # fmt: skip
def test_no_letter_of_a_line_is_lost(time: str, shape: str, message: str, before: str) -> None:
    line = f"{before}{time} {shape}x{message}"
    found = text.parse_line(line)
    kept = "".join(map(str, found.members.values())) + (found.time or "")
    weekday = "Fri" if time.startswith("Fri") else ""  # the date says it too
    level = "I" if before.startswith("I, [") else ""  # read as INFO
    assert set(LETTERS.findall(line)) <= set(LETTERS.findall(kept + weekday + level))
    assert str(found.members["message"]).endswith(f"x{message}")


@given(st.text(max_size=100))
def test_no_text_breaks_the_reading(line: str) -> None:
    found = text.parse_line(line)
    assert found.time is not None or found.members


@pytest.mark.parametrize("piece", ["[", "1", "1:", " ", "a", "a.", "INFO ", "- ", "x:", "|"])
def test_long_lines_of_one_piece_take_no_more_than_their_length(piece: str) -> None:
    long = piece * (20_000 // len(piece))
    for line in (long, f"2024-01-02 03:04:05 {long}", f"2024-01-02 03:04:05 INFO [{long}",
                 f"2024-01-02 03:04:05 - INFO [{long}"):  # fmt: skip
        text.parse_line(line)


def test_a_time_is_found_only_where_times_stand() -> None:
    assert find_time("one word 2024-01-02 03:04:05 x") is None
    assert find_time("x" * 300 + " 2024-01-02 03:04:05") is None
    assert find_time("id 1234567890") is None


@pytest.mark.parametrize(
    ("line", "time", "fields"),
    [
        (
            "ERRO[2023-10-06T00:17:09Z] no such file    code=1",
            "2023-10-06T00:17:09Z",
            {"level": "ERRO", "message": "no such file    code=1"},
        ),
        (
            "2024-05-06T07:08:09Z INF Traefik version 3.0.0",
            "2024-05-06T07:08:09Z",
            {"level": "INF", "message": "Traefik version 3.0.0"},
        ),
        (
            "\x1b[90m2024-05-06T07:08:09Z\x1b[0m \x1b[32mWRN\x1b[0m \x1b[1mslow\x1b[0m",
            "2024-05-06T07:08:09Z",
            {"level": "WRN", "message": "slow"},
        ),
        (
            "\x1b[2m2023-10-06T00:17:09.669794Z\x1b[0m \x1b[32m INFO\x1b[0m "
            "\x1b[2mmy_crate::a\x1b[0m\x1b[2m:\x1b[0m hello",
            "2023-10-06T00:17:09.669794Z",
            {"level": "INFO", "logger": "my_crate::a", "message": "hello"},
        ),
        (
            "\x1b[2m2023-10-06 00:17:09\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] hi",
            "2023-10-06 00:17:09",
            {"level": "info", "message": "hi"},
        ),
    ],
)
def test_short_levels_and_the_colours_of_terminals(
    line: str, time: str, fields: dict[str, object]
) -> None:
    assert text.looks_like(line)
    assert text.parse_line(line) == (fields, time)
