"""Several roles in one process: in which order they stop, and what `up.small` sets."""

import asyncio
from pathlib import Path

import pytest

from bellwether.cli import COMMANDS
from bellwether.config.role_registry import ALL_ROLES, STOP_ORDER
from bellwether.config.sections import UpConfig
from bellwether.config.settings import SettingsError, load
from bellwether.config.small import SMALL_DEFAULTS
from bellwether.wiring import serve_in_order
from indexer.config import IndexerConfig
from query.config import QueryConfig


async def test_roles_of_one_process_stop_front_to_back_each_after_the_one_before() -> None:
    seen: list[str] = []
    stop = asyncio.Event()

    async def serve(role: str, stopped: asyncio.Event) -> None:
        await stopped.wait()
        seen.append(f"{role} stops")
        await asyncio.sleep(0)
        seen.append(f"{role} stopped")

    running = asyncio.create_task(serve_in_order(("indexer", "query", "shepherd"), serve, stop))
    await asyncio.sleep(0)
    stop.set()
    await running
    assert seen == [f"{role} {what}" for role in STOP_ORDER for what in ("stops", "stopped")]


async def test_a_role_that_fails_stops_the_others_and_is_the_error_of_the_process() -> None:
    stopped: list[str] = []
    stop = asyncio.Event()

    async def serve(role: str, told: asyncio.Event) -> None:
        if role == "query":
            raise RuntimeError("the query role failed")
        await told.wait()
        stopped.append(role)

    with pytest.raises(RuntimeError, match="the query role failed"):
        await serve_in_order(STOP_ORDER, serve, stop)
    assert stopped == ["shepherd", "indexer"]
    assert stop.is_set()  # from then on the process has a bounded time to end


def test_small_is_a_set_of_defaults_that_the_operator_can_change(tmp_path: Path) -> None:
    settings = load({("up", "small"): True}, {"BELLWETHER_QUERY_RUNNING_MAX": "5"}, tmp_path)
    sources = {(r.section, r.declared.name): r.source for r in settings.resolved}
    assert settings.section(UpConfig).small
    assert settings.section(QueryConfig).running_max == 5
    assert sources["query", "running_max"] == "BELLWETHER_QUERY_RUNNING_MAX"
    values = {(r.section, r.declared.name): r.value for r in settings.resolved}
    for path, value in SMALL_DEFAULTS.items():
        if path != ("query", "running_max"):
            assert (values[path], sources[path]) == (value, "up.small")
    handed_on = settings.as_environment()  # what the roles' process is started with
    assert handed_on["BELLWETHER_INDEXER_LIVE_BYTES_MAX"] == str(
        SMALL_DEFAULTS["indexer", "live_bytes_max"]
    )


def test_every_small_default_is_smaller_than_the_default(tmp_path: Path) -> None:
    settings = load({}, {}, tmp_path)
    usual = {(r.section, r.declared.name): r.value for r in settings.resolved}
    assert settings.section(IndexerConfig) == IndexerConfig()
    for path, value in SMALL_DEFAULTS.items():
        assert isinstance(value, int)
        assert value < usual[path]  # type: ignore[operator]


def test_small_with_twins_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set only one of them"):
        load({("up", "small"): True, ("up", "twins"): True}, {}, tmp_path)


def test_the_command_of_all_roles_is_there_and_not_shown_to_people() -> None:
    assert COMMANDS[ALL_ROLES].hidden
