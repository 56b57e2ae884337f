"""Client and operator commands against a real `up`."""

import json
import threading
from collections.abc import Iterator

import pytest

from tests.system.harness import System, running

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("commands"), "--twins") as found:
        yield found


def count(system: System, dataset: str) -> int:
    done = system.run("query", dataset, "COUNT LAST 1h", "--json")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["data"]["results"]
    return int(results[0]["data"]["COUNT"]) if results else 0


def test_a_file_that_is_sent_twice_is_stored_once(system: System) -> None:
    path = system.folder / "events.ndjson"
    path.write_text("".join(f'{{"n":{n}}}\n' for n in range(500)) + "{bad\n")
    refused = {
        "line": 501,
        "reason": "not a JSON object: it has no end; line 501 is lost",
        "source": "{bad\n",
    }
    for extra, code in (((), 1), ((), 1), (("--resume",), 0)):  # resuming waits for the line's end
        done = system.run("send", "twice", str(path), "--rejects", "rejects", *extra)
        assert done.returncode == code, done.stderr + done.stdout
        assert json.loads((system.folder / "rejects").read_text()) == refused
    system.wait_until(lambda: count(system, "twice") >= 500, "the events")
    assert count(system, "twice") == 500
    assert system.run("send", "twice", str(path), "--again").returncode == 1
    system.wait_until(lambda: count(system, "twice") == 1000, "the events again")


def test_status_is_readable_by_people_and_programs(system: System) -> None:
    table = system.run("status")
    assert table.returncode == 0, table.stdout
    assert "all is well" in table.stdout
    assert "with shared pages counted once" in table.stdout
    told = system.run("status", "--json")
    document = json.loads(told.stdout)
    assert told.returncode == 0
    assert (document["verdict"], document["troubles"]) == ("ok", [])
    assert len(document["indexers"]) == 2
    pids = {pid for group in system.pids().values() for pid in group}
    assert {one["pid"] for one in document["memory"]} == pids


def test_cut_and_verify_are_clean_while_up_runs(system: System) -> None:
    system.send("cut", [{"data": {"n": n}} for n in range(50)])
    assert system.run("cut").returncode == 0
    done = system.run("verify", "--data", str(system.data))
    assert done.returncode == 0, done.stdout
    assert "clean" in done.stdout


def test_tail_follows_events(system: System) -> None:
    system.send("tail", [{"data": {"n": 0}}])
    stop = threading.Event()

    def send() -> None:
        while not stop.wait(0.3):
            system.send("tail", [{"data": {"n": 1, "word": "hello"}}])

    sender = threading.Thread(target=send)
    sender.start()
    try:
        done = system.run("tail", "tail", "-n", "1", timeout_s=60)
    finally:
        stop.set()
        sender.join()
    assert "word=hello" in done.stdout, done.stderr


def test_keys_are_made_listed_and_revoked(system: System) -> None:
    made = system.run("keys", "create", "robot", "--ingest", "--data", str(system.data))
    key = made.stdout.strip()
    assert len(key) == 64
    sent = system.http("POST", "/1/events/robot", {"a": 1}, {"X-Honeycomb-Team": key})
    assert sent.status == 200
    asked = system.http("GET", "/bw/1/status", None, {"X-Honeycomb-Team": key})
    assert asked.status in (401, 403)
    listed = system.run("keys", "list", "--data", str(system.data))
    assert "robot" in listed.stdout
    assert key not in listed.stdout
    identity = made.stderr.split()[1].rstrip(";")
    assert system.run("keys", "revoke", identity, "--data", str(system.data)).returncode == 0
    again = system.run("keys", "revoke", "nobody", "--data", str(system.data))
    assert again.returncode == 1


def test_deleted_dataset_is_empty_and_starts_anew(system: System) -> None:
    data = ("--data", str(system.data))
    assert system.run("datasets", "create", "gone", "--depth", "2", *data).returncode == 0
    system.send("gone", [{"data": {"n": 1}}])
    system.wait_until(lambda: count(system, "gone") == 1, "the event")
    assert "gone" in system.run("datasets", "list", *data).stdout
    assert system.run("datasets", "set-depth", "gone", "11", *data).returncode == 1
    refused = system.run("datasets", "delete", "gone", "--yes", *data)
    assert refused.returncode == 1
    assert "bellwether datasets unprotect gone" in refused.stderr
    assert count(system, "gone") == 1
    assert system.run("datasets", "unprotect", "gone", *data).returncode == 0
    assert system.run("datasets", "delete", "gone", "--yes", *data).returncode == 0
    assert "gone" not in system.run("datasets", "list", *data).stdout


def test_markers_and_definitions_of_spans_go_through_the_public_address(system: System) -> None:
    system.send("marked", [{"data": {"my.trace": "ab12", "my.span": "1", "name": "x"}}])
    system.wait_until(lambda: count(system, "marked") == 1, "the event")
    added = system.run("marker", "add", "marked", "deploy 1.2.3", "--type", "deploy")
    assert added.returncode == 0, added.stderr
    [shown] = system.http("GET", "/1/markers/marked").json()
    assert (shown["id"], shown["message"]) == (added.stdout.strip(), "deploy 1.2.3")
    assert system.run("trace", "ab12").returncode == 1
    mine = {"trace_id": {"name": "my.trace"}, "span_id": {"name": "my.span"}}
    defined = system.http("PATCH", "/1/dataset_definitions/marked", mine)
    assert defined.status == 200, defined.body
    drawn = system.run("trace", "ab12")
    assert drawn.returncode == 0, drawn.stderr
    assert "1 span" in drawn.stdout


def test_doctor_is_content_with_a_running_system(system: System) -> None:
    port = system.url.rsplit(":", 1)[1]
    done = system.run("doctor", "--data", str(system.data), "--set", f"shepherd.port={port}")
    assert done.returncode == 0, done.stdout
    assert "agrees with the server" in done.stdout
    assert "served by our own up" in done.stdout
    assert "nothing has to be mended" in done.stdout.splitlines()[-1]


def test_doctor_puts_what_is_wrong_first_and_has_a_verdict_for_programs(system: System) -> None:
    secret = system.data / "secrets" / "key"
    secret.chmod(0o644)
    try:
        port = system.url.rsplit(":", 1)[1]
        asked = ("doctor", "--data", str(system.data), "--set", f"shepherd.port={port}")
        text, told = system.run(*asked), system.run(*asked, "--json")
    finally:
        secret.chmod(0o600)
    assert text.returncode == told.returncode == 1
    assert text.stdout.startswith("fail  secrets:")
    document = json.loads(told.stdout)
    assert document["verdict"] == "trouble"
    [trouble] = document["troubles"]
    assert "has mode 644" in trouble["text"]
    assert "chmod" in trouble["remedy"]
    assert document["findings"][0]["verdict"] == "fail"


def test_wrong_address_and_wrong_key_are_told_apart(system: System) -> None:
    nowhere = system.run("status", "--url", "http://127.0.0.1:9")
    assert nowhere.returncode == 3
    assert "cannot reach http://127.0.0.1:9" in nowhere.stderr
    unknown = system.run("status", "--json", "--url", "http://127.0.0.1:9")
    assert unknown.returncode == 3
    document = json.loads(unknown.stdout)
    assert document["verdict"] == "unknown"
    assert "cannot reach" in document["troubles"][0]["text"]
    assert document["troubles"][0]["remedy"]
    stranger = system.run("status", "--key", "nobody-knows-this-key")
    assert "401" in stranger.stderr
