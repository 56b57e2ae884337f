"""`bellwether up` with real processes: start, second start, crash, stop."""

import contextlib
import re
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.shepherd.otlp.grpc.calls import TRACES, spans
from tests.system.harness import System, running
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("up")) as found:
        yield found


def test_every_role_is_ready_and_announced(system: System) -> None:
    for role in ("shepherd", "indexer", "query"):
        system.wait_role_ready(role)
    assert "ready in " in system.output


def test_key_is_printed_once_and_kept_for_its_owner_alone(system: System) -> None:
    key_file = system.data / "secrets" / "key"
    assert system.output.count(system.key) == 1
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.parent.stat().st_mode) == 0o700
    assert system.key not in "".join(p.read_text() for p in (system.data / "logs").glob("*.log"))
    assert system.key.encode() not in (system.data / "metadata.db").read_bytes()


def test_otlp_over_grpc_is_taken_at_the_printed_address(system: System) -> None:
    found = re.search(r"gRPC +(\S+) \(OTLP\)", system.output)
    assert found, system.output
    metadata = (("x-honeycomb-team", system.key),)
    with grpc.insecure_channel(found[1]) as channel:
        export = channel.unary_unary(TRACES)
        export(spans([1, 2]).SerializeToString(), metadata=metadata, timeout=PATIENCE_S)
    asked = {"calculations": [{"op": "COUNT"}], "start_time": 1, "end_time": 9_000_000_000}

    def count() -> object:
        return system.ask("web", asked)["data"]["results"]

    system.wait_until(lambda: count() == [{"data": {"COUNT": 2}}], "the spans to be found")


def test_second_up_is_refused_and_names_the_holder(system: System) -> None:
    second = system.run("up", "--data", str(system.data), "--port", "0")
    assert second.returncode == 3
    assert f"pid {system.pids()['up'][0]}" in second.stderr
    assert system.url in second.stderr


def test_port_that_is_taken_is_named(system: System, tmp_path: Path) -> None:
    port = system.url.rsplit(":", 1)[1]
    second = system.run("up", "--data", str(tmp_path / "other"), "--port", port)
    assert second.returncode == 4
    assert f":{port}" in second.stderr
    assert "--port" in second.stderr


def test_unknown_setting_stops_the_start_with_the_nearest_name(system: System) -> None:
    wrong = system.run("up", "--set", "shepherd.prot=1")
    assert wrong.returncode == 1
    assert "did you mean port" in wrong.stderr


@pytest.mark.parametrize("role", ["query", "indexer", "shepherd"])
def test_crashed_role_is_started_again_with_a_clear_line(system: System, role: str) -> None:
    killed = system.kill_role(role)
    system.wait_until(
        lambda: f"{role} was killed by SIGKILL" in system.output, "the crash to be told"
    )
    system.wait_role_ready(role, not_pid=killed)
    system.wait_until(lambda: f"{role} is ready again" in system.output, "the good news")


def test_roles_end_when_their_supervisor_is_killed_and_key_stays(tmp_path: Path) -> None:
    system = System(tmp_path)
    try:
        system.start()
        key = system.key
        system.kill_up()
        system.wait_gone()
        system.start()
        assert system.key == key
        assert key not in system.output
        assert "secrets/key" in system.output
        assert system.stop() == 0
        assert "stopped; everything acknowledged is stored" in system.output
    finally:
        system.kill_everything()


@pytest.mark.scenario
@pytest.mark.parametrize("damage", ["emptied", "zeroed", "removed"])
def test_up_doctor_and_verify_do_not_call_a_damaged_log_well(tmp_path: Path, damage: str) -> None:
    system = System(tmp_path)
    try:
        system.start()
        for number in range(20):
            system.send("web", [{"data": {"n": number}}])
        system.kill_everything()
        path = max((system.data / "log").glob("p*/*.db"), key=lambda p: _records(p))
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        if damage == "removed":
            path.unlink()
        else:
            path.write_bytes(bytes(0 if damage == "emptied" else path.stat().st_size))
        for command in ("doctor", "verify"):
            done = system.run(command, "--data", str(system.data))
            assert done.returncode == 1
            assert path.parent.name in done.stdout
        system.start(wait=False)
        system.wait_until(lambda: bool(system.members("indexer")), "the indexer to be there")
        system.stop()
        assert "NOT known that everything acknowledged is stored" in system.output
        assert "stopped; everything acknowledged is stored" not in system.output
    finally:
        system.kill_everything()


def _records(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT count(*) FROM records").fetchone()[0])
