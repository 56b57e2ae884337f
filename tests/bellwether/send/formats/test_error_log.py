"""Error logs of Apache and nginx: every part of a line is a field, the rest its message."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.formats.access import error_log


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (
            "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/x.properties",
            {"level": "notice", "message": "workerEnv.init() ok /etc/httpd/x.properties"},
        ),
        (
            "[Mon Dec 05 06:36:59 2005] [error] [client 198.51.100.24] Directory index forbidden",
            {"level": "error", "client": "198.51.100.24", "message": "Directory index forbidden"},
        ),
        (
            "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] "
            "[client 198.51.100.99] File does not exist: /srv/favicon.ico",
            {"level": "error", "module": "core", "pid": 35708, "tid": 4328636416}
            | {"client": "198.51.100.99", "message": "File does not exist: /srv/favicon.ico"},
        ),
        (
            "[Thu Jun 27 11:55:44.569531 2013] [core:info] [pid 4101:tid 299] "
            "(13)Permission denied: [client 198.51.100.9:5678] AH00035: access to /x denied, "
            "referer: http://example.com/",
            {"level": "info", "module": "core", "pid": 4101, "tid": 299}
            | {"error": "(13)Permission denied", "client": "198.51.100.9", "client_port": 5678}
            | {"code": "AH00035", "referer": "http://example.com/"}
            | {"message": "access to /x denied, referer: http://example.com/"},
        ),
        (
            "[Thu Jun 27 11:55:44.569531 2013] [mpm_event:notice] [pid 1:tid 2] AH00489: "
            "Apache/2.4 (Unix) configured -- resuming normal operations",
            {"level": "notice", "module": "mpm_event", "pid": 1, "tid": 2, "code": "AH00489"}
            | {"message": "Apache/2.4 (Unix) configured -- resuming normal operations"},
        ),
        (
            "[Thu Jun 27 11:55:44 2013] [:error] [pid 9] [client 2001:db8:1:2:3:4:5:6:443] PHP x",
            {"level": "error", "pid": 9, "client": "2001:db8:1:2:3:4:5:6", "client_port": 443}
            | {"message": "PHP x"},
        ),
        ("[Thu Jun  7 11:55:44 2013] [trace8] ", {"level": "trace8", "message": ""}),
    ],
)
def test_apache_error_logs(line: str, fields: dict[str, object]) -> None:
    found, time = error_log.parse_apache(line)
    assert found == fields
    assert time == line[1 : line.index("]")]
    assert error_log.looks_like_apache(line)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (
            '2016/09/23 12:00:00 [error] 1234#5678: *90 open() "/srv/x" failed (2: No such file or '
            'directory), client: 198.51.100.4, server: localhost, request: "GET /x HTTP/1.1", '
            'upstream: "http://10.0.0.1/", host: "localhost", referrer: "http://x/"',
            {"level": "error", "pid": 1234, "tid": 5678, "connection": 90}
            | {"message": 'open() "/srv/x" failed (2: No such file or directory)'}
            | {"client": "198.51.100.4", "server": "localhost", "request": "GET /x HTTP/1.1"}
            | {"upstream": "http://10.0.0.1/", "host": "localhost", "referrer": "http://x/"},
        ),
        (
            "2016/09/23 12:00:00 [notice] 1#1: start worker processes",
            {"level": "notice", "pid": 1, "tid": 1, "message": "start worker processes"},
        ),
        (
            '2016/09/23 12:00:00 [error] 1#1: *5 x, client: 1.1.1.1, request: "GET /a"b"',
            {"level": "error", "pid": 1, "tid": 1, "connection": 5}
            | {"message": 'x, client: 1.1.1.1, request: "GET /a"b"'},
        ),
    ],
)
def test_nginx_error_logs(line: str, fields: dict[str, object]) -> None:
    found, time = error_log.parse_nginx(line)
    assert (found, time) == (fields, "2016/09/23 12:00:00")
    assert error_log.looks_like_nginx(line)


@given(st.text(max_size=60))
def test_the_message_is_kept_whole(message: str) -> None:
    for start, parse in (
        ("[Sun Dec 04 04:47:44 2005] [error] ", error_log.parse_apache),
        ("2016/09/23 12:00:00 [error] 1#2: ", error_log.parse_nginx),
    ):
        members = parse(start + "x" + message).members
        assert members["message"] == "x" + message
    with contextlib.suppress(ValueError):
        error_log.parse_apache(message)


@pytest.mark.parametrize("line", ["", "[error] x", "[2015-01-01] x", "[1, 2]", '[{"a": 1}]'])
def test_other_lines_are_no_error_logs(line: str) -> None:
    for parse in (error_log.parse_apache, error_log.parse_nginx):
        with pytest.raises(error_log.NotErrorLog):
            parse(line)
