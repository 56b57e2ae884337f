"""A session is as good as its key and no better, and only for the page itself."""

import os
from pathlib import Path
from typing import Any

import pytest

from common import limits
from common.clock import ManualClock
from common.errors import MetadataUnavailable, UnknownKey
from common.metadata.sqlite import SqliteMetadata
from common.process.auth import hash_key
from common.process.sessions import COOKIE, Sessions, login_name
from tests.query.harness import QueryHarness, query_harness

OWN = {"Sec-Fetch-Site": "same-origin"}


async def log_in(role: QueryHarness, body: Any, **headers: str) -> tuple[int, str, str]:
    """(status, the cookie's value, all that was set)."""
    async with role.http.post(
        f"{role.url}/ui/session", json=body, headers={**OWN, **headers}
    ) as response:
        text = await response.text()
        assert "K" not in text.replace('"K"', "")  # the name of the key, never the key
        cookie = next(iter(response.cookies.values()), None)
        assert cookie is None or cookie.key.startswith(COOKIE)
        told = response.headers.get("Set-Cookie", "")
        return response.status, "" if cookie is None else cookie.value, told


async def get(role: QueryHarness, path: str, cookie: str, **headers: str) -> tuple[int, Any]:
    sent = {"Cookie": f'other={{"a": 1}}; a[b]=1; {COOKIE}else=x; {COOKIE}e={cookie}', **headers}
    async with role.http.get(role.url + path, headers=sent) as response:
        return response.status, await response.json(content_type=None)


@pytest.fixture
def metadata(tmp_path: Path) -> SqliteMetadata:
    store = SqliteMetadata(tmp_path / "metadata.db")
    store.open()
    return store


async def test_a_session_may_do_what_its_key_may_and_ends_with_it(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as role:
        status, cookie, told = await log_in(role, {"key": "K"})
        assert status == 200
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(told.split("; "))
        assert hash_key("K") not in told
        status, shown = await get(role, "/ui/session", cookie, **OWN)
        assert (status, shown["environment"]["slug"]) == (200, "e")
        status, found = await get(role, "/1/datasets", cookie, **OWN)
        assert (status, [one["name"] for one in found]) == (200, ["shop"])
        assert (await get(role, "/bw/1/keys", cookie, **OWN))[0] == 200
        _, mate, _ = await log_in(role, {"key": "MATE"})
        assert (await get(role, "/bw/1/keys", mate, **OWN))[0] == 403


async def test_a_cookie_counts_only_for_requests_of_the_page(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as role:
        _, cookie, _ = await log_in(role, {"key": "K"})
        assert (await get(role, "/1/datasets", cookie, **{"X-Bellwether-Page": "1"}))[0] == 200
        for headers in (
            {},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "cross-site", "X-Bellwether-Page": "1"},
        ):
            assert (await get(role, "/1/datasets", cookie, **headers))[0] == 401
        for wrong in ("", "x", cookie[:-2], cookie + "A", "%%%", "é"):
            assert (await get(role, "/1/datasets", wrong, **OWN))[0] == 401
        # a key that is sent goes before the cookie
        sent = {**OWN, "X-Honeycomb-Team": "OTHER"}
        async with role.http.get(
            f"{role.url}/ui/session", headers={**sent, "Cookie": f"{COOKIE}e={cookie}"}
        ) as response:
            assert (await response.json())["environment"]["slug"] == "f"


async def test_who_may_log_in(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as role:
        assert (await log_in(role, {"key": "no such key"}))[0] == 401
        assert (await log_in(role, {"key": "INGEST"}))[0] == 403
        assert (await log_in(role, {}))[0] == 422
        assert (await log_in(role, {"key": "K", "code": "c"}))[0] == 422
        assert (await log_in(role, {"key": "K"}, **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
        status, cookie, told = await log_in(role, {"key": "K"}, **{"X-Forwarded-Proto": "https"})
        assert status == 200
        assert "Secure" in told.split("; ")
        async with role.http.delete(f"{role.url}/ui/session", headers=OWN) as response:
            assert response.status == 204
            assert "Max-Age=0" in response.headers["Set-Cookie"]
        assert cookie


async def test_a_link_logs_in_once_and_only_for_some_minutes(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as role:
        now_ns = role.context.clock.now_ns()
        put = role.metadata.put_secret
        put(login_name("good"), hash_key("K").encode(), now_ns, now_ns + 10**12)
        put(login_name("late"), hash_key("K").encode(), now_ns, now_ns - 1)
        assert (await log_in(role, {"code": "good"}))[0] == 200
        assert (await log_in(role, {"code": "good"}))[0] == 401
        assert (await log_in(role, {"code": "late"}))[0] == 401
        assert (await log_in(role, {"code": "x" * 10_000}))[0] == 422


async def test_a_session_ends_after_its_time(metadata: SqliteMetadata) -> None:
    clock = ManualClock(10**18)
    sessions = Sessions(metadata, clock)
    headers = {"Cookie": f"{COOKIE}e={await sessions.seal('hash')}", **OWN}
    assert await sessions.key_hash(headers) == "hash"
    clock.advance_ms(limits.SESSION_S * 1_000)
    with pytest.raises(UnknownKey):
        await sessions.key_hash(headers)


async def test_every_role_reads_the_cookie_and_a_new_secret_is_noticed(
    metadata: SqliteMetadata,
) -> None:
    clock = ManualClock(10**18)
    one, other = Sessions(metadata, clock), Sessions(metadata, clock)
    headers = {"Cookie": f"{COOKIE}e={await one.seal('hash')}", **OWN}
    assert await other.key_hash(headers) == "hash"
    now_ns = clock.now_ns()
    metadata.take_secret("session", now_ns)  # as after a restore
    metadata.ensure_secret("session", os.urandom(32))
    again = {"Cookie": f"{COOKIE}e={await Sessions(metadata, clock).seal('hash')}", **OWN}
    with pytest.raises(UnknownKey):
        await other.key_hash(again)
    clock.advance_ms(limits.SESSION_SECRET_S * 1_000)
    assert await other.key_hash(again) == "hash"
    with pytest.raises(UnknownKey):
        await other.key_hash(headers)


async def test_installations_on_one_host_keep_their_own_sessions(tmp_path: Path) -> None:
    """A browser sends the cookies of all ports of a host to each of them."""
    cookies: dict[str, str] = {}
    installations: list[Sessions] = []
    for name in ("one", "other"):
        store = SqliteMetadata(tmp_path / name)
        store.open()
        sessions = Sessions(store, ManualClock(10**18))
        cookies[await sessions.cookie_name()] = await sessions.seal(name)
        installations.append(sessions)
    assert len(cookies) == 2
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), **OWN}
    assert [await one.key_hash(headers) for one in installations] == ["one", "other"]


async def test_secrets_are_no_part_of_a_dump(metadata: SqliteMetadata) -> None:
    await Sessions(metadata, ManualClock(1)).seal("hash")
    assert list(metadata.dump()) == []


async def test_sessions_go_on_while_metadata_fails_whatever_cookies_come(
    metadata: SqliteMetadata, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(10**18)
    sessions = Sessions(metadata, clock)
    headers = {"Cookie": f"{COOKIE}e={await sessions.seal('hash')}", **OWN}

    def fails(*_: Any) -> bytes:
        raise MetadataUnavailable("down")

    monkeypatch.setattr(metadata, "ensure_secret", fails)
    clock.advance_ms(limits.SESSION_SECRET_S * 1_000)
    with pytest.raises(MetadataUnavailable):  # it may be of a secret that is not known here
        await sessions.key_hash({**headers, "Cookie": f"{COOKIE}e=unreadable"})
    assert await sessions.key_hash(headers) == "hash"
