"""Rights over HTTP: an environment's administrator rules the environment, an operator the rest."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from common.clock import SystemClock
from common.metadata import ApiKey
from common.process.auth import rights_of
from ops.admin import create_key, ensure_scope
from tests.query.harness import QueryHarness, query_harness


def add_key(running: QueryHarness, environment: str, **wishes: bool) -> tuple[str, ApiKey]:
    plain = {"ingest": False, "read_only": False, "create_datasets": True}
    rights = rights_of(**{**plain, "admin": False, "operate": False, **wishes})
    place = ensure_scope(running.metadata, "T", environment)
    return create_key(running.metadata, place, "k", rights, SystemClock(), os.urandom)


async def test_an_administrator_makes_classic_keys(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        for more, form in (({}, "[0-9a-f]{32}"), ({"ingest": True}, "hcxic_[0-9a-z]{58}")):
            status, made = await running.post("/bw/1/keys", {"name": "c", "classic": True, **more})
            assert status == 201
            assert re.fullmatch(form, made["key"])


async def delete(running: QueryHarness, path: str, key: str) -> int:
    headers = {"X-Honeycomb-Team": key}
    async with running.http.delete(running.url + path, headers=headers) as response:
        return response.status


async def test_an_environments_administrator_does_not_rule_the_installation(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        admin, _ = add_key(running, "e", admin=True)
        for call in (running.get("/bw/1/status", admin), running.post("/bw/1/cut", {}, admin)):
            status, answer = await call
            assert status == 403
            assert "set-rights" in answer["error"]
        operator, _ = add_key(running, "e", operate=True)
        assert (await running.get("/bw/1/status", operator))[0] == 200
        assert (await running.get("/bw/1/keys", operator))[0] == 403


async def test_keys_are_made_listed_and_revoked_within_the_environment_alone(
    tmp_path: Path,
) -> None:
    async with query_harness(tmp_path) as running:
        mine, _ = add_key(running, "mine", admin=True)
        _, foreign = add_key(running, "other")
        status, made = await running.post("/bw/1/keys", {"name": "reader", "read_only": True}, mine)
        assert status == 201
        assert made["rights"] == {
            "events": False,
            "queries": True,
            "columns": False,
            "create_datasets": False,
            "admin": False,
            "operate": False,
        }
        status, listed = await running.get("/bw/1/keys", mine)
        assert status == 200
        assert [key["name"] for key in listed] == ["k", "reader"]
        assert made["key"] not in str(listed)
        assert "hash" not in listed[0]
        assert (await running.get("/1/datasets", made["key"]))[0] == 200
        assert await delete(running, f"/bw/1/keys/{foreign.id}", mine) == 404
        assert await delete(running, f"/bw/1/keys/{made['id']}", mine) == 204
        revoked = running.metadata.list_keys(foreign.environment.id)
        assert [key.revoked_ns for key in revoked] == [0]
        listed = (await running.get("/bw/1/keys", mine))[1]
        assert [bool(key["revoked_ns"]) for key in listed] == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 256},
        {"name": "x", "operate": True},
        {"name": "x", "ingest": True, "admin": True},
        {"name": "x", "events_per_s": -1},
        {"name": "x", "events_per_day": 1.5},
        ["name"],
        "name",
    ],
)
async def test_bad_wishes_for_a_key_are_refused_and_make_none(tmp_path: Path, body: Any) -> None:
    async with query_harness(tmp_path) as running:
        admin, key = add_key(running, "e", admin=True)
        before = running.metadata.list_keys(key.environment.id)
        status, answer = await running.post("/bw/1/keys", body, admin)
        assert status == 400, answer
        assert running.metadata.list_keys(key.environment.id) == before


async def test_an_operators_key_is_not_the_administrators_to_revoke(tmp_path: Path) -> None:
    async with query_harness(tmp_path) as running:
        admin, _ = add_key(running, "e", admin=True)
        _, operator = add_key(running, "e", operate=True)
        assert await delete(running, f"/bw/1/keys/{operator.id}", admin) == 400
        for text in ("", "unknown"):
            assert (await running.get("/bw/1/keys", text))[0] == 401
