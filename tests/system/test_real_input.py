"""Real files, loaded with `bellwether send` and asked with `bellwether query`: the answers are
those that Python computes straight from the file. docs/example.md is what is tested.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import ROOT, System, running

pytestmark = pytest.mark.system

Rows = dict[tuple[Any, ...], dict[str, Any]]
Document = dict[str, Any]
APPROXIMATE = {"COUNT_DISTINCT": 0.03, "P90": 0.02}  # docs/query.md states the bounds
_LINE = re.compile(r'^(\S+) \S+ \S+ \[[^\]]+\] "(.*)" (\d+) (\d+|-) "(.*)" "(.*?)"?$')


def access_documents(lines: list[str]) -> list[Document]:
    """Each line's fields, taken apart independently of the loader."""
    found = []
    for line in lines:
        match = _LINE.match(line)
        assert match, line
        # greedy: of a request that holds quotes the last `" status size "` is the right one
        host, request, status, size, _, agent = match.groups()
        method = request.split(" ")[0] if re.match(r"^[A-Z]+ ", request) else None
        found.append(
            {
                "remote_host": host,
                "method": method,
                "status": int(status),
                "bytes": None if size == "-" else int(size),
                "user_agent": agent,
            }
        )
    return found


def group(documents: list[Document], name: str) -> dict[tuple[Any, ...], list[Document]]:
    groups: dict[tuple[Any, ...], list[Document]] = defaultdict(list)
    for document in documents:
        groups[(document.get(name),)].append(document)
    return groups


def known(documents: list[Document], name: str) -> list[Any]:
    return [d[name] for d in documents if d.get(name) is not None]


def by_status(found: list[Document]) -> Rows:
    return {key: {"COUNT": len(docs)} for key, docs in group(found, "status").items()}


def by_method(found: list[Document]) -> Rows:
    return {
        key: {"COUNT": len(docs), "SUM(bytes)": sum(known(docs, "bytes")) or None}
        for key, docs in group(found, "method").items()
    }


def visitors(found: list[Document]) -> Rows:
    return {(): {"COUNT_DISTINCT(remote_host)": len({d["remote_host"] for d in found})}}


def robots(found: list[Document]) -> Rows:
    return {(): {"COUNT": sum("Googlebot" in d["user_agent"] for d in found)}}


def sizes(found: list[Document]) -> Rows:
    sent = sorted(known([d for d in found if d["status"] == 200], "bytes"))
    return {
        (): {
            "AVG(bytes)": sum(sent) / len(sent),
            "MAX(bytes)": sent[-1],
            "P90(bytes)": sent[int(0.9 * (len(sent) - 1))],
        }
    }


def seen(found: list[Document]) -> Rows:
    return {
        key: {
            "COUNT": len(docs),
            "MIN(requests.total)": min(d["requests"]["total"] for d in docs),
            "MAX(requests.total)": max(d["requests"]["total"] for d in docs),
        }
        for key, docs in group(found, "address").items()
    }


def busy(found: list[Document]) -> Rows:
    active = [d["connections"]["active"] for d in found]
    return {
        (): {
            "AVG(connections.active)": sum(active) / len(active),
            "MAX(connections.active)": max(active),
        }
    }


def versions(found: list[Document]) -> Rows:
    return {key: {"COUNT": len(docs)} for key, docs in group(found, "nginx_version").items()}


def errors(found: list[Document]) -> Rows:
    name = "MAX(server_zones.hg.nginx.org.responses.5xx)"
    return {(): {name: max(d["server_zones"]["hg.nginx.org"]["responses"]["5xx"] for d in found)}}


def handshakes(found: list[Document]) -> Rows:
    docs = [d for d in found if d["connections"]["active"] >= 5]
    worst = max(d["ssl"]["handshakes_failed"] for d in docs)
    return {(): {"COUNT": len(docs), "MAX(ssl.handshakes_failed)": worst}}


ANSWERS: dict[str, list[Callable[[list[Document]], Rows]]] = {
    "access": [by_status, by_method, visitors, robots, sizes],
    "status": [seen, busy, versions, errors, handshakes],
}


def example_blocks(kind: str) -> list[tuple[str, str]]:
    """The fenced blocks of docs/example.md: (what follows the fence's first word, content)."""
    text = (ROOT / "docs" / "example.md").read_text()
    return re.findall(rf"^```{kind}(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)


def questions(dataset: str) -> list[str]:
    return [text.strip() for name, text in example_blocks("query") if name.strip() == dataset]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("real")) as found:
        yield found


def assert_answers(system: System, dataset: str, name: str, documents: list[Document]) -> None:
    """Ask the example's questions about `name` of the loaded dataset and compare."""
    texts = questions(name)
    assert len(texts) == len(ANSWERS[name]) == 5
    for text, answer in zip(texts, ANSWERS[name], strict=True):
        done = system.run("query", dataset, text, "--json")
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        assert document["coverage"]["complete"], document["coverage"]
        breakdowns = document["query"].get("breakdowns") or []
        got = {
            tuple(row["data"].get(b) for b in breakdowns): {
                k: v for k, v in row["data"].items() if k not in breakdowns
            }
            for row in document["data"]["results"]
        }
        assert_same_rows(got, answer(documents), text)


def assert_same_rows(got: Rows, expected: Rows, text: str) -> None:
    assert got.keys() == expected.keys(), text
    for key, row in expected.items():
        for name, value in row.items():
            tolerance = APPROXIMATE.get(name.split("(")[0])
            if tolerance is not None:
                assert got[key][name] == pytest.approx(value, rel=tolerance), (text, key)
            elif isinstance(value, float):
                assert got[key][name] == pytest.approx(value, rel=1e-12), (text, key)
            else:
                assert got[key][name] == value, (text, key)


def load(system: System, dataset: str, path: Path, *options: str) -> None:
    done = system.run("send", dataset, str(path), *options)
    assert done.returncode == 0, done.stderr + done.stdout
    cut = system.run("cut")  # what was loaded is asked of segments; live rows are asked elsewhere
    assert cut.returncode == 0, cut.stderr + cut.stdout


def test_documented_example_gives_the_answers_that_python_gives(system: System) -> None:
    ((_, commands),) = example_blocks("sh")
    (system.folder / "examples").symlink_to(ROOT / "examples")
    for command in commands.splitlines():
        if command.startswith("bellwether "):
            done = system.run(*command.split()[1:])
            assert done.returncode == 0, done.stderr + done.stdout
        else:
            program = command.replace("python3", sys.executable, 1)
            subprocess.run(["/bin/sh", "-c", program], cwd=system.folder, check=True)
    lines = (system.folder / "access.log").read_text().splitlines()
    system.run("cut")
    assert_answers(system, "access", "access", access_documents(lines))
    status = (system.folder / "status.ndjson").read_text().splitlines()
    assert_answers(system, "status", "status", [json.loads(line) for line in status])


def real(name: str) -> Path:
    folder = os.environ.get("BELLWETHER_REAL_DATA")
    if not folder:
        pytest.skip("BELLWETHER_REAL_DATA is not set: the real files are not part of this folder")
    return Path(folder) / name


def test_real_access_log(system: System) -> None:
    path = real("apache_access.log.gz")
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    load(system, "real-access", path)
    assert_answers(system, "real-access", "access", access_documents(lines))


def test_real_nested_status_documents(system: System) -> None:
    path = real("nginxplus.ndjson.gz")
    documents = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    load(system, "real-status", path, "--depth", "10")
    assert_answers(system, "real-status", "status", documents)
