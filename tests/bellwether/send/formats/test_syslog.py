"""syslog in every dress: who wrote what, with which priority, and nothing of a message lost."""

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.send.formats.registry import reader_for
from bellwether.send.formats.syslog import syslog


@pytest.mark.parametrize(
    ("line", "time", "fields"),
    [
        (
            "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; uid=0 rhost=x ",
            "Jun 14 15:16:01",
            {"host": "combo", "program": "sshd(pam_unix)", "pid": 19939}
            | {"message": "authentication failure; uid=0 rhost=x "},
        ),
        (
            "Dec 10 06:55:46 LabSZ sshd[24200]: pam_unix(sshd:auth): check pass; user unknown",
            "Dec 10 06:55:46",
            {"host": "LabSZ", "program": "sshd", "pid": 24200}
            | {"message": "pam_unix(sshd:auth): check pass; user unknown"},
        ),
        (
            "Jul 17 04:08:23 combo syslogd 1.4.1: restart.",
            "Jul 17 04:08:23",
            {"host": "combo", "program": "syslogd", "message": "1.4.1: restart."},
        ),
        (
            "Jul  1 09:00:55 mac com.apple.xpc.launchd[1] (com.example.x.31): Failed",
            "Jul  1 09:00:55",
            {"host": "mac", "program": "com.apple.xpc.launchd", "pid": 1}
            | {"message": "(com.example.x.31): Failed"},
        ),
        (
            "Jul  1 09:00:55 mac Two Words[14463]: x y",
            "Jul  1 09:00:55",
            {"host": "mac", "program": "Two Words", "pid": 14463, "message": "x y"},
        ),
        (
            "Jun  5 10:10:10 host last message repeated 3 times",
            "Jun  5 10:10:10",
            {"host": "host", "message": "last message repeated 3 times"},
        ),
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed on /dev/pts/8",
            "Oct 11 22:14:15",
            {"facility": "auth", "severity": "crit", "host": "mymachine", "program": "su"}
            | {"message": "'su root' failed on /dev/pts/8"},
        ),
        (
            "<13>Jan  1 00:00:00 prog[123]: no host",
            "Jan  1 00:00:00",
            {"facility": "user", "severity": "notice", "program": "prog", "pid": 123}
            | {"message": "no host"},
        ),
        (
            "2024-01-02T03:04:05.678901+00:00 web-1 nginx[12]: a=1",
            "2024-01-02T03:04:05.678901+00:00",
            {"host": "web-1", "program": "nginx", "pid": 12, "message": "a=1"},
        ),
        (
            "Tue 2024-01-02 03:04:05 UTC host prog[1]: m",
            "2024-01-02 03:04:05 UTC",
            {"host": "host", "program": "prog", "pid": 1, "message": "m"},
        ),
        (
            "Thu Jan  1 00:00:00 1970 daemon.info dnsmasq[123]: started",
            "Jan  1 00:00:00 1970",
            {"facility": "daemon", "severity": "info", "program": "dnsmasq", "pid": 123}
            | {"message": "started"},
        ),
        (
            "<189>29: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: Configured",
            "Mar  1 18:48:50.483 UTC",
            {"facility": "local7", "severity": "notice", "sequence": 29}
            | {"program": "%SYS-5-CONFIG_I", "message": "Configured"},
        ),
    ],
)
def test_rfc_3164_and_its_kin(line: str, time: str, fields: dict[str, object]) -> None:
    found = syslog.parse_line(line)
    assert (found.members, found.time) == (fields, time)
    assert syslog.looks_like(line)


@pytest.mark.parametrize(
    ("line", "time", "fields"),
    [
        (
            '<165>1 2003-10-11T22:14:15.003Z host.example evntslog - ID47 [example@32473 iut="3" '
            'source="App\\"l\\]\\\\ \\x"][other@1 class="high"] \ufeffAn entry',
            "2003-10-11T22:14:15.003Z",
            {"facility": "local4", "severity": "notice", "host": "host.example"}
            | {"program": "evntslog", "msgid": "ID47", "example@32473.iut": 3}
            | {"example@32473.source": 'App"l]\\ \\x', "other@1.class": "high"}
            | {"message": "An entry"},
        ),
        (
            "<34>1 2003-10-11T22:14:15Z h su 77 - - two  blanks ",
            "2003-10-11T22:14:15Z",
            {"facility": "auth", "severity": "crit", "host": "h", "program": "su", "pid": 77}
            | {"message": "two  blanks "},
        ),
        ("<34>1 - - - - - -", None, {"facility": "auth", "severity": "crit"}),
        (
            '85 <0>1 - h p - - [x][y a="1" a="2"]',
            None,
            {"facility": "kern", "severity": "emerg", "host": "h", "program": "p"}
            | {"x": True, "y.a": 1, "y.a_2": 2},
        ),
    ],
)
def test_rfc_5424(line: str, time: str | None, fields: dict[str, object]) -> None:
    found = syslog.parse_line(line)
    assert (found.members, found.time) == (fields, time)


@pytest.mark.parametrize("priority", range(192))
def test_every_priority_is_a_facility_and_a_severity(priority: int) -> None:
    members = syslog.parse_line(f"<{priority}>text").members
    assert members["facility"] == syslog.FACILITIES[priority // 8]
    assert members["severity"] == syslog.SEVERITIES[priority % 8]
    assert members["message"] == "text"


@pytest.mark.parametrize(
    "line",
    ["-- Reboot --", "", "hello", "<192>x", "<999>x", "level=info msg=x", "[1] x",
     '<34>1 2003-10-11T22:14:15Z h su 77 - [x y="z m', '<34>1 2003-10-11T22:14:15Z h su 77 - [',
     '<34>1 2003-10-11T22:14:15Z h su 77 - [x y=z] m', "Jun 14 I went out: nice"],
)  # fmt: skip
def test_what_is_no_syslog_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"syslog|priority|structured"):
        syslog.parse_line(line)


@pytest.mark.parametrize(
    "line",
    ["2024-01-02T03:04:05Z INFO foo: text", "2024-01-02 03:04:05 ERROR foo: text",
     "2024-01-02T03:04:05Z stdout F x: y", "2015-10-18 18:01:47,978 INFO [main] a.B: c"],
)  # fmt: skip
def test_other_logs_are_no_syslog(line: str) -> None:
    assert not syslog.looks_like(line)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_character_of_a_message_is_lost(message: str) -> None:
    for header in ("Jun 14 15:16:01 h p[1]: ", "<34>Jun 14 15:16:01 h p: ",
                   "2024-01-02T03:04:05Z h p: ", '<1>1 - - - - - [a b="c"] '):  # fmt: skip
        found = syslog.parse_line(header + "x" + message)
        assert found.members["message"] == "x" + message
    with contextlib.suppress(ValueError):
        syslog.parse_line(message)
    with contextlib.suppress(ValueError):
        syslog.parse_line(f'<1>1 - - - - - [a b="{message}"] x')


def test_indented_lines_go_on_with_the_one_before() -> None:
    text = b"Jun 14 15:16:01 h p[1]: first\n\tsecond\n    third\nJun 14 15:16:02 h p[1]: next\n"
    items = list(reader_for("syslog", text)(io.BytesIO(text)))
    messages = [(item.members or {})["message"] for item in items]
    assert messages == ["first\n\tsecond\n    third", "next"]
    assert [(item.line, item.end) for item in items] == [(1, 48), (4, len(text))]


def test_structured_data_with_too_many_names_stops_the_load() -> None:
    lines = [f'<1>1 - - - - - [a{n} b{n}="1"] x' for n in range(1_100)]
    text = "\n".join(lines).encode()
    with pytest.raises(Exception, match="more than 1,000 fields"):
        list(reader_for("syslog", text)(io.BytesIO(text)))
