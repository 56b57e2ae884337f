"""Access logs: every line is read as what it is or refused with the reason, never shifted."""

import contextlib
import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.send.formats.access import log as access_log
from bellwether.send.formats.access.front import NotAccessLog

DATE = "13/Oct/2022:08:40:05 +0000"
REST = f'[{DATE}] "GET /a HTTP/1.1" 200 738 "-" "ua"'
AFTER = {"method": "GET", "url": "/a", "protocol": "HTTP/1.1", "status": 200, "bytes": 738} | {
    "user_agent": "ua"
}


def front(text: str) -> dict[str, object]:
    """The fields that what stands before the date makes; the rest is as it should be."""
    found, date = access_log.parse_line(f"{text} {REST}")
    assert date == DATE
    assert {name: found[name] for name in AFTER} == AFTER
    return {name: value for name, value in found.items() if name not in AFTER}


def after(text: str) -> dict[str, object]:
    """The fields that what stands after the number of bytes makes."""
    line = f'192.0.2.7 - - [{DATE}] "GET /a HTTP/1.1" 200 738{text}'
    found, _ = access_log.parse_line(line)
    before = {**AFTER, "remote_host": "192.0.2.7"}
    del before["user_agent"]
    assert {name: found.pop(name) for name in before} == before
    return found


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("192.0.2.7 - -", {"remote_host": "192.0.2.7"}),
        ("2001:db8::7 - bob", {"remote_host": "2001:db8::7", "user": "bob"}),
        ("host.example - bob", {"remote_host": "host.example", "user": "bob"}),
        ("192.0.2.7 ident bob", {"remote_host": "192.0.2.7", "ident": "ident", "user": "bob"}),
        ("unix: - -", {"remote_host": "unix:"}),
        ("- - -", {}),
        ("192.0.2.7:5678 - -", {"remote_host": "192.0.2.7", "remote_port": 5678}),
        ("[2001:db8::1]:443 - -", {"remote_host": "2001:db8::1", "remote_port": 443}),
    ],
)
def test_the_host_is_read_in_every_form(text: str, fields: dict[str, object]) -> None:
    assert front(text) == fields


@pytest.mark.parametrize(
    ("vhost", "fields"),
    [
        ("www.example.com:80", {"vhost": "www.example.com", "vhost_port": 80}),
        ("www.example.com", {"vhost": "www.example.com"}),
        ("localhost:8080", {"vhost": "localhost", "vhost_port": 8080}),
        ("[2001:db8::1]:443", {"vhost": "2001:db8::1", "vhost_port": 443}),
        ("10.0.0.1:80", {"vhost": "10.0.0.1", "vhost_port": 80}),
        ("203.0.113.9,", {"forwarded_for": "203.0.113.9, 192.0.2.7"}),
        ("203.0.113.9", {"forwarded_for": "203.0.113.9"}),
        ("-", {}),
        ('"-"', {}),
        ('"203.0.113.9, 203.0.113.8"', {"forwarded_for": "203.0.113.9, 203.0.113.8"}),
    ],
)
@pytest.mark.parametrize("user", ["-", "bob", "john doe"])
def test_what_stands_before_the_host_shifts_nothing(
    vhost: str, fields: dict[str, object], user: str
) -> None:
    found = front(f"{vhost} 192.0.2.7 - {user}")
    assert found.pop("user", "-") == user
    assert found.pop("remote_host") == ("203.0.113.9" if vhost.endswith(",") else "192.0.2.7")
    assert found == fields


@pytest.mark.parametrize("hosts", ["203.0.113.9, 192.0.2.7", "203.0.113.9,10.0.0.1, 192.0.2.7",
                                   "unknown, 203.0.113.9", "2001:db8::9, 192.0.2.7"])  # fmt: skip
def test_a_list_of_forwarders_is_kept_and_its_first_address_is_the_host(hosts: str) -> None:
    found = front(f"{hosts} - bob")
    first = next(host for host in re.split(r",\s*", hosts) if host != "unknown")
    assert found == {"forwarded_for": hosts, "remote_host": first, "user": "bob"}
    with_vhost = front(f"www.example.com:443 {hosts} - bob")
    assert with_vhost == {"vhost": "www.example.com", "vhost_port": 443, **found}


@pytest.mark.parametrize(
    ("written", "user"),
    [
        ("-", None), ('""', None), ("", None), ("bob", "bob"), ("first.last ", "first.last"),
        ("john doe", "john doe"), ("john  van  doe", "john  van  doe"), ("doe, john", "doe, john"),
        (r"DOM\\joe", r"DOM\joe"), (r"j\xc3\xb6e", "jöe"), (r"j\xC3\xB6e", "jöe"), ("jöe", "jöe"),
        ('"john doe"', "john doe"), (r"a\"b", 'a"b'), ("user@example.com", "user@example.com"),
    ],
)  # fmt: skip
def test_users_are_read_as_the_server_escaped_them(written: str, user: str | None) -> None:
    assert front(f"10.0.0.1 - {written}").get("user") == user


@pytest.mark.parametrize(
    "text",
    ["192.0.2.7", "", "a b c d e", "192.0.2.7 - - bob", "www.example.com - - bob", "www:80 - -",
     "192.0.2.7 joe john doe", "x " * 100],
)  # fmt: skip
def test_what_may_be_read_in_two_ways_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(NotAccessLog, match=r"host|words"):
        front(text)


def test_where_the_virtual_host_is_said_to_be_first_it_is_first() -> None:
    found, _ = access_log.parse_vhost_line(f"192.0.2.1 192.0.2.7 - bob {REST}")
    assert (found["vhost"], found["remote_host"], found["user"]) == (
        "192.0.2.1", "192.0.2.7", "bob",
    )  # fmt: skip
    with pytest.raises(NotAccessLog, match="virtual host"):
        access_log.parse_vhost_line(f"192.0.2.7 - bob {REST}")


@pytest.mark.parametrize(
    "date",
    [DATE, "7/May/2015:10:05:03 +0000", "17/may/2015:10:05:03.123 -0730",
     "30/Jun/2015:23:59:60 +0000", "2015-05-17T10:05:03+00:00", "1431857103.123",
     "17/May/2015 10:05:03"],
)  # fmt: skip
def test_dates_are_passed_on_as_they_are_written(date: str) -> None:
    line = f'192.0.2.7 - - [{date}] "GET / HTTP/1.1" 200 5'
    assert access_log.parse_line(line).time == date
    assert access_log.looks_like(line)


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ("", {}),
        (' "http://x/" "Mozilla/5.0"', {"referer": "http://x/", "user_agent": "Mozilla/5.0"}),
        (r' "-" "a \"b\" \\ \x22c\x22"', {"user_agent": r'a "b" \ "c"'}),
        (' "-" "u" "203.0.113.9"', {"user_agent": "u", "forwarded_for": "203.0.113.9"}),
        (' "-" "u" "-"', {"user_agent": "u"}),
        (' "-" "u" 0.123 "-" "x y"', {"user_agent": "u", "extra_1": 0.123, "extra_3": "x y"}),
        (' "r" "u" rt=0.1 uct="0.2"', {"referer": "r", "user_agent": "u", "rt": 0.1, "uct": 0.2}),
        (' "-" "u" status=7', {"user_agent": "u", "status_2": 7}),
        (" 0.005", {"extra_1": 0.005}),
        (' 0.005 "r" "u"', {"extra_1": 0.005, "extra_2": "r", "extra_3": "u"}),
        (
            ' "-" "u" 93 0.005 [svc-80] [] 10.0.0.1:8080 60 0.004 200 abc',
            {"user_agent": "u", "request_length": 93, "request_time": 0.005}
            | {"proxy_upstream_name": "svc-80", "upstream_addr": "10.0.0.1:8080"}
            | {"upstream_response_length": 60, "upstream_response_time": 0.004}
            | {"upstream_status": 200, "req_id": "abc"},
        ),
        (
            ' "-" "-" 42 "r@docker" "http://10.0.0.2:80" 3ms',
            {"request_count": 42, "router": "r@docker", "backend": "http://10.0.0.2:80"}
            | {"duration": "3ms"},
        ),
    ],
)
def test_added_fields_are_kept_under_stable_names(written: str, fields: dict[str, object]) -> None:
    assert after(written) == fields


def test_lines_that_were_cut_off_keep_what_is_there_or_are_refused() -> None:
    whole = f'192.0.2.7 - - [{DATE}] "GET /a HTTP/1.1" 200 738 "http://x/y" "Mozilla/5.0 (X)"'
    full = access_log.parse_line(whole).members
    refused = 0
    for length in range(1, len(whole)):
        try:
            found = access_log.parse_line(whole[:length]).members
        except NotAccessLog:
            refused += 1
            continue
        for name, value in found.items():
            assert str(full[name]).startswith(str(value))
    assert 0 < refused <= whole.index(" 738") + 1


def test_quotes_that_a_server_did_not_escape_shift_nothing() -> None:
    line = f'192.0.2.7 - - [{DATE}] "GET /a"b HTTP/1.1" 200 5'
    assert access_log.parse_line(line).members["url"] == '/a"b'
    with pytest.raises(NotAccessLog, match="not escaped"):
        access_log.parse_line(f'192.0.2.7 - - [{DATE}] "GET /"x" 200 5 HTTP/1.1" 404 7')
    with pytest.raises(NotAccessLog, match="does not end"):
        access_log.parse_line(f'192.0.2.7 - - [{DATE}] "GET / HTTP/1.1" 200 5 "r" "a"b" "c"')


def test_bytes_that_are_no_text_stay_as_the_server_wrote_them() -> None:
    line = rf'192.0.2.7 - - [{DATE}] "GET /\xc3\xb6\xff\xFE\q HTTP/1.1" 200 5'
    assert access_log.parse_line(line).members["url"] == r"/ö\xff\xFE\q"


words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=',"\\[]'),
                min_size=1, max_size=8)  # fmt: skip


@settings(max_examples=40)
@given(words.filter(lambda w: w != "-"), st.text(max_size=12), st.text(max_size=12))
def test_escaped_fields_read_back_as_they_were(user: str, url: str, agent: str) -> None:
    def escaped(text: str) -> str:
        return "".join(
            c if c.isprintable() and c.isascii() and c not in '"\\'
            else "".join(f"\\x{byte:02x}" for byte in c.encode())
            for c in text
        )  # fmt: skip

    line = (
        f'192.0.2.7 - {escaped(user)} [{DATE}] "GET /{escaped(url)} HTTP/1.1" 200 5 '
        f'"http://{escaped(agent)}" "x{escaped(agent)}"'
    )
    found = access_log.parse_line(line).members
    assert (found["user"], found["url"]) == (user, f"/{url}")
    assert (found["referer"], found["user_agent"]) == (f"http://{agent}", f"x{agent}")


@given(st.text(max_size=80), st.sampled_from(["", f" [{DATE}] ", f" {REST}", '" 200 5']))
def test_no_text_breaks_the_reading(line: str, more: str) -> None:
    for text, parse in product((line + more, more + line),
                               (access_log.parse_line, access_log.parse_vhost_line)):  # fmt: skip
        with contextlib.suppress(ValueError):
            parse(text)


@pytest.mark.parametrize("piece", ['"', "[", "\\", " ", ",", '" 200 5 ', '"a" ', "1.1.1.1, "])
def test_long_lines_of_one_piece_take_no_more_than_their_length(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    for line in (text, f"{text} {REST}", f"192.0.2.7 - - {REST}{text}",
                 f"192.0.2.7 - - [{DATE}] \"{text}"):  # fmt: skip
        with contextlib.suppress(ValueError):
            access_log.parse_line(line)


@pytest.mark.parametrize(
    "line",
    ["level=info msg=x", "a,b,c", "Jun 14 15:16:01 combo sshd[1]: x", "", "hello world",
     '[Sun Dec 04 04:47:44 2005] [error] [client 1.2.3.4] "GET /" 200 5', '{"a": 1}'],
)  # fmt: skip
def test_other_lines_are_no_access_log(line: str) -> None:
    assert not access_log.looks_like(line)
