"""Keys: 401 and 503 are never confused, metadata outages are survived, revoking works (I8)."""

import asyncio
import os
import re
import threading
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from common import limits
from common.clock import ManualClock
from common.errors import BadRequest, MetadataUnavailable, UnknownKey
from common.metadata import Access, ApiKey, Environment, KeyKind, Team
from common.process.auth import KeyCache, check_foreign_key, generate_key, hash_key, is_classic

KEY = "a1B2c3D4e5F6g7H8i9J0kL"


class KeyTable:
    """Only `find_key` of the metadata interface, with a switch for outages."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = {key.hash: key for key in keys}
        self.down = False
        self.questions = 0
        self.gate = threading.Event()
        self.gate.set()

    def find_key(self, key_hash: str) -> ApiKey | None:
        self.questions += 1
        self.gate.wait(10)
        if self.down:
            raise MetadataUnavailable("down")
        return self.keys.get(key_hash)


def api_key(text: str = KEY) -> ApiKey:
    return ApiKey(
        id="k1",
        hash=hash_key(text),
        kind=KeyKind.CONFIGURATION,
        name="test",
        team=Team("t", "Team", "team"),
        environment=Environment("e", "t", "Env", "env"),
        access=Access(),
    )


def test_key_forms_are_the_vendors() -> None:
    assert len(generate_key(KeyKind.CONFIGURATION, os.urandom)) == 22
    ingest = generate_key(KeyKind.INGEST, os.urandom)
    assert ingest.startswith("hcxik_")
    assert len(ingest) == 64
    assert generate_key(KeyKind.INGEST, os.urandom) != ingest
    assert not is_classic(ingest)
    assert not is_classic(generate_key(KeyKind.CONFIGURATION, os.urandom))


def test_classic_keys_have_the_forms_that_clients_know_them_by() -> None:
    key = generate_key(KeyKind.CONFIGURATION, os.urandom, classic=True)
    assert re.fullmatch("[0-9a-f]{32}", key)
    ingest = generate_key(KeyKind.INGEST, os.urandom, classic=True)
    assert re.fullmatch("hc[a-z]ic_[0-9a-z]{58}", ingest)
    for classic in (key, ingest):
        assert is_classic(classic)
        for other in (classic[:-1], classic + "0", classic.upper(), f" {classic}", classic + "\n"):
            assert not is_classic(other)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tiny-key", KeyKind.CONFIGURATION),
        ("x" * 257, KeyKind.CONFIGURATION),
        ("with blank " + "x" * 20, KeyKind.CONFIGURATION),
        ("\u00fc" * 30, KeyKind.CONFIGURATION),
        ("hcaik_" + "0" * 58, KeyKind.CONFIGURATION),
        ("hcaic_" + "0" * 58, KeyKind.CONFIGURATION),
    ],
)
def test_a_key_of_another_system_that_cannot_be_one_is_refused_and_not_quoted(
    text: str, kind: KeyKind
) -> None:
    with pytest.raises(BadRequest) as refused:
        check_foreign_key(text, kind)
    assert text not in str(refused.value)


def test_keys_of_the_vendors_forms_can_be_taken_over() -> None:
    check_foreign_key("0123456789abcdef" * 2, KeyKind.CONFIGURATION)
    check_foreign_key("aB3" * 7 + "x", KeyKind.CONFIGURATION)
    check_foreign_key("hcaik_" + "0" * 58, KeyKind.INGEST)


async def test_known_key_is_asked_for_once_and_unknown_one_is_refused() -> None:
    table, clock = KeyTable(api_key()), ManualClock()
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    found = await asyncio.gather(*(cache.authenticate(KEY) for _ in range(20)))
    assert {key.id for key in found} == {"k1"}
    assert table.questions == 1
    for bad in ("", "nope", "x" * 10_000, "ünïcode", "\udcff"):
        with pytest.raises(UnknownKey):
            await cache.authenticate(bad)
    with pytest.raises(UnknownKey):
        await cache.authenticate("nope")
    assert table.questions == 4  # the second "nope" came from memory


async def test_new_key_works_soon_after_it_was_refused() -> None:
    table, clock = KeyTable(), ManualClock()
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    with pytest.raises(UnknownKey):
        await cache.authenticate(KEY)
    table.keys[hash_key(KEY)] = api_key()
    clock.advance_ms(limits.KEY_UNKNOWN_S * 1000 + 1)
    assert (await cache.authenticate(KEY)).id == "k1"


async def test_revoked_key_stops_within_a_minute() -> None:
    table, clock = KeyTable(api_key()), ManualClock()
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    await cache.authenticate(KEY)
    table.keys[hash_key(KEY)] = replace(api_key(), revoked_ns=1)
    clock.advance_ms(60_000)
    with pytest.raises(UnknownKey):
        await cache.authenticate(KEY)


async def test_outage_is_503_for_strangers_and_nothing_for_known_keys(tmp_path: Path) -> None:
    table, clock = KeyTable(api_key()), ManualClock()
    path = tmp_path / "keys.json"
    cache = KeyCache(table, clock, path)  # type: ignore[arg-type]  # only find_key is needed
    await cache.authenticate(KEY)
    await cache.close()
    assert KEY not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600

    table.down = True
    warm = KeyCache(table, clock, path)  # type: ignore[arg-type]  # only find_key is needed
    clock.advance_ms(3600_000)
    assert (await warm.authenticate(KEY)).id == "k1"
    with pytest.raises(MetadataUnavailable):
        await warm.authenticate("stranger")
    clock.advance_ms(limits.KEY_STALE_S * 1000)
    with pytest.raises(MetadataUnavailable):
        await warm.authenticate(KEY)
    cold = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    with pytest.raises(MetadataUnavailable):
        await cold.authenticate(KEY)


async def test_database_that_was_lost_revokes_no_key_in_use() -> None:
    """An empty database in place of the old one knows no key; only a revocation refuses one."""
    table, clock = KeyTable(api_key()), ManualClock()
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    await cache.authenticate(KEY)
    lost = table.keys.pop(hash_key(KEY))
    for _ in range(5):
        clock.advance_ms(limits.KEY_UNASKED_S * 1000)
        assert (await cache.authenticate(KEY)).id == "k1"
    with pytest.raises(UnknownKey):
        await cache.authenticate("stranger")
    table.keys[hash_key(KEY)] = replace(lost, revoked_ns=1)  # restored, and then revoked
    clock.advance_ms(limits.KEY_UNASKED_S * 1000)
    with pytest.raises(UnknownKey):
        await cache.authenticate(KEY)
    table.keys.clear()  # what is known as revoked stays so
    clock.advance_ms(limits.KEY_UNASKED_S * 1000)
    with pytest.raises(UnknownKey):
        await cache.authenticate(KEY)


async def test_hanging_metadata_does_not_hold_known_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "METADATA_TIMEOUT_S", 0.05)
    table, clock = KeyTable(api_key()), ManualClock()
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    await cache.authenticate(KEY)
    clock.advance_ms(40_000)
    table.gate.clear()
    assert (await cache.authenticate(KEY)).id == "k1"
    asked = table.questions
    assert (await cache.authenticate(KEY)).id == "k1"  # at once: it failed a moment ago
    assert table.questions == asked
    table.gate.set()


async def test_damaged_disk_copy_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(b"[{")
    cache = KeyCache(KeyTable(api_key()), ManualClock(), path)  # type: ignore[arg-type]  # as above
    assert (await cache.authenticate(KEY)).id == "k1"


async def test_key_in_use_never_waits_for_a_slow_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "METADATA_TIMEOUT_S", 3600)  # a lookup that waits hangs
    table, clock = KeyTable(api_key()), ManualClock()
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    await cache.authenticate(KEY)
    table.gate.clear()
    clock.advance_ms(limits.KEY_FRESH_S * 1000)
    for _ in range(5):
        assert (await cache.authenticate(KEY)).id == "k1"
    table.gate.set()
    await asyncio.wait(cache._lookups.values())
    assert table.questions == 2
    table.keys[hash_key(KEY)] = replace(api_key(), revoked_ns=1)
    clock.advance_ms(limits.KEY_FRESH_S * 1000)
    assert (await cache.authenticate(KEY)).id == "k1"  # asked again meanwhile
    await asyncio.wait(cache._lookups.values())
    with pytest.raises(UnknownKey):
        await cache.authenticate(KEY)


@pytest.mark.parametrize("days", [70, 3650, -1, -3650])
async def test_clock_that_leaps_neither_drops_keys_nor_keeps_them_for_ever(days: int) -> None:
    table, clock = KeyTable(api_key()), ManualClock(wall_ns=20_000 * 86_400 * 10**9)
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    await cache.authenticate(KEY)
    clock.advance_ms(20_000)
    table.down = True
    clock.wall_ns += days * 86_400 * 10**9
    for _ in range(23):
        clock.advance_ms(3_600_000)
        assert (await cache.authenticate(KEY)).id == "k1"
    clock.advance_ms(2 * 3_600_000)
    with pytest.raises(MetadataUnavailable):
        await cache.authenticate(KEY)


async def test_refusal_of_a_new_key_is_not_remembered_beyond_its_seconds_by_any_clock() -> None:
    table, clock = KeyTable(), ManualClock()
    cache = KeyCache(table, clock)  # type: ignore[arg-type]  # only find_key is needed
    with pytest.raises(UnknownKey):
        await cache.authenticate(KEY)
    table.keys[hash_key(KEY)] = api_key()
    clock.wall_ns -= 3650 * 86_400 * 10**9
    clock.advance_ms(limits.KEY_UNKNOWN_S * 1000 + 1)
    assert (await cache.authenticate(KEY)).id == "k1"


async def test_keys_serve_a_day_of_running_across_restarts_whatever_the_clock_said(
    tmp_path: Path,
) -> None:
    table, path = KeyTable(api_key()), tmp_path / "keys.json"
    cache = KeyCache(table, ManualClock(), path)  # type: ignore[arg-type]  # as above
    await cache.authenticate(KEY)
    await cache.close()
    table.down = True
    served_h = 0
    for start in range(8):  # each on a machine started anew, its clock somewhere else
        clock = ManualClock(wall_ns=start * 400 * 86_400 * 10**9, steady_ns=start)
        again = KeyCache(table, clock, path)  # type: ignore[arg-type]  # as above
        for _ in range(5):
            clock.advance_ms(3_600_000)
            try:
                await again.authenticate(KEY)
            except MetadataUnavailable:
                break
            served_h += 1
        await again.close()
    assert served_h == 23  # less than a day: each start counts a minute more


async def test_key_that_was_revoked_while_nothing_ran_does_not_serve_when_metadata_answers(
    tmp_path: Path,
) -> None:
    table, clock, path = KeyTable(api_key()), ManualClock(), tmp_path / "keys.json"
    cache = KeyCache(table, clock, path)  # type: ignore[arg-type]  # as above
    await cache.authenticate(KEY)
    await cache.close()
    table.keys[hash_key(KEY)] = replace(api_key(), revoked_ns=1)
    again = KeyCache(table, clock, path)  # type: ignore[arg-type]  # as above
    with pytest.raises(UnknownKey):
        await again.authenticate(KEY)


async def test_disk_copy_of_an_older_program_serves(tmp_path: Path) -> None:
    table, clock, path = KeyTable(api_key()), ManualClock(), tmp_path / "keys.json"
    cache = KeyCache(table, clock, path)  # type: ignore[arg-type]  # as above
    await cache.authenticate(KEY)
    await cache.close()
    entries = msgspec.json.decode(path.read_bytes())
    for entry in entries:
        del entry["unconfirmed_ns"]
    path.write_bytes(msgspec.json.encode(entries))
    table.down = True
    again = KeyCache(table, clock, path)  # type: ignore[arg-type]  # as above
    assert (await again.authenticate(KEY)).id == "k1"
