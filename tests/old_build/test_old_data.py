"""What the build at `make_data.COMMIT` wrote is read by this one, and answers are the same."""

import hashlib
import json
import sqlite3
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bellwether.config.secrets import read_internal_token
from common.process.web import INTERNAL_TOKEN_HEADER
from query.share.compute.answer import decode_answer
from snapshot.documents.checksummed import decode_checksummed
from snapshot.documents.manifest import Checkpoint, Manifest
from tests.old_build import recorded
from tests.old_build.recorded import Question, assert_same, questions, rows
from tests.system.harness import System

QUESTIONS = questions()
LATE_ROWS = 3  # of the batch that was undecided when the old build stopped


def asked(question: Question) -> list[dict[str, Any]]:
    """The old answer, with what it could not know yet."""
    results: list[dict[str, Any]] = question.data["results"]
    if question.dataset == "late":
        return [{"data": {"COUNT": results[0]["data"]["COUNT"] + LATE_ROWS}}]
    return results


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """This build's `up` on the old build's data, with empty folders of its roles."""
    folder = tmp_path_factory.mktemp("old")
    recorded.unpack(folder)
    system = System(folder, (), {"BELLWETHER_NODE_TELEMETRY": "false"})
    system.start()
    yield system
    assert system.stop() == 0


def test_the_files_are_those_that_the_script_made(tmp_path: Path) -> None:
    data = recorded.unpack(tmp_path)
    listed = (recorded.FOLDER / "contents.txt").read_text().splitlines()
    found = []
    for line in listed:
        digest, size, name = line.split(" ")
        content = (data / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (digest, int(size)), name
        found.append(data / name)
    assert {path for path in data.rglob("*") if path.is_file()} == set(found)


def test_the_data_have_what_an_installation_has(tmp_path: Path) -> None:
    """So that nobody makes a smaller folder by mistake."""
    objects = recorded.unpack(tmp_path) / "objects"
    manifests = [
        decode_checksummed(path.read_bytes(), Manifest, path.name)
        for path in objects.glob("manifests/*/*.json")
    ]
    [checkpoint] = objects.glob("checkpoints/*/*.json")
    assert decode_checksummed(checkpoint.read_bytes(), Checkpoint, "").segments
    assert all(manifest.format == 1 for manifest in manifests)
    assert any(manifest.voids for manifest in manifests)
    assert any(manifest.conditionals_dropped for manifest in manifests)
    assert any(manifest.gone for manifest in manifests)
    assert any(entry.far for manifest in manifests for entry in manifest.segments)
    assert list(objects.glob("retention/*/*.json"))
    with sqlite3.connect(objects.parent / "metadata.db") as db:
        assert db.execute("SELECT count(*) FROM datasets").fetchone() == (5,)


@pytest.mark.system
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_answers_are_those_of_the_old_build(system: System, question: Question) -> None:
    if question.dataset == "late":
        spec = question.spec
        system.wait_until(
            lambda: system.ask("late", spec)["data"]["results"] == asked(question), "the decision"
        )
    answer = system.ask(question.dataset, question.spec)["data"]
    ordered = "orders" in question.spec
    assert_same(
        answer["results"] if ordered else rows(answer["results"]),
        asked(question) if ordered else rows(asked(question)),
    )
    if question.dataset != "late":
        assert_same(series(answer), series(question.data))


def series(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The series, in an order of their own."""
    return sorted(data["series"], key=lambda one: json.dumps(one, sort_keys=True)[:200])


@pytest.mark.system
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_an_old_query_role_gets_the_states_that_it_knows(
    system: System, question: Question
) -> None:
    """The old query role's own bytes, and the columns and rows of the old indexer's share.

    Columns without a value may be left out, and so may the weights and approximate numbers of
    values of a state that has lists: the old query role does not read them.
    """
    if question.dataset == "late":
        return  # its rows have changed; the other dataset asks the same
    old, new = decode_answer(question.share), decode_answer(share(system, question.request))
    assert new.states.keys() == old.states.keys()
    for name, table in old.states.items():
        unread = {f"{state}_{end}" for state in old.states for end in ("w", "many")}
        columns = [
            column
            for column in sorted(table.column_names)
            if table.column(column).null_count < len(table) and column not in unread
        ]
        assert set(columns) <= set(new.states[name].column_names)
        assert_same(
            rows(new.states[name].select(columns).to_pylist()),
            rows(table.select(columns).to_pylist()),
            name,
        )
    assert new.report.types == old.report.types
    assert new.report.hash_version == old.report.hash_version


def share(system: System, request: bytes) -> bytes:
    """The indexer's response to a request for a share."""
    [indexer] = system.members("indexer")
    headers = {INTERNAL_TOKEN_HEADER: read_internal_token(system.data)}
    url = f"{indexer.url}/internal/share"
    with urllib.request.urlopen(urllib.request.Request(url, request, headers)) as response:
        return bytes(response.read())


@pytest.mark.system
def test_a_deleted_dataset_stays_deleted_and_verify_is_clean(system: System) -> None:
    body = {"query": {"calculations": [{"op": "COUNT"}]}, "wait_s": 10}
    assert system.http("POST", "/1/query_results/gone", body).status == 404
    assert system.run("cut", "--data", str(system.data)).returncode == 0
    report = system.run("verify", "--data", str(system.data))
    assert report.returncode == 0, report.stdout + report.stderr
