"""One `up` for all examples, and how they are run against it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.harness import ROOT, System, running

EXAMPLES = ROOT / "examples"


class Examples:
    """A running `up`, the programs of the examples, and Bellwether's commands."""

    def __init__(self, system: System) -> None:
        self.system = system

    @property
    def environ(self) -> dict[str, str]:
        """What the programs need to send."""
        url, key = self.system.url, self.system.key
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"x-honeycomb-team={key}",
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"{url}/api/v2/spans",
            "BELLWETHER_URL": url,
            "BELLWETHER_KEY": key,
        }

    def start(self, program: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start a program of the examples."""
        return subprocess.Popen(
            [sys.executable, str(EXAMPLES / program), *arguments],
            cwd=self.system.folder,
            env={"PATH": "/usr/bin:/bin", **self.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str, *arguments: str, code: int = 0) -> str:
        """Run a program to its end; what it printed."""
        started = self.start(program, *arguments)
        out, err = started.communicate(timeout=300)
        assert started.returncode == code, err
        return out

    def ask(self, *words: str) -> Any:
        """The JSON that a command prints."""
        done = self.system.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """The events that `bellwether rows` prints."""
        done = self.system.run("rows", *words, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def groups(self, dataset: str, text: str) -> list[dict[str, Any]]:
        """The rows of a question's answer."""
        return [one["data"] for one in self.ask("query", dataset, text)["data"]["results"]]

    def wait_for(self, dataset: str, events: int) -> None:
        """Wait until the dataset has so many events."""

        def there() -> bool:
            done = self.system.run("query", dataset, "COUNT LAST 1d", "--json")
            if done.returncode:
                return False  # nothing has come yet
            found = json.loads(done.stdout)["data"]["results"]
            return bool(found) and found[0]["data"]["COUNT"] >= events

        self.system.wait_until(there, f"{events} events in {dataset}")


@pytest.fixture(scope="package")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    folder: Path = tmp_path_factory.mktemp("examples")
    with running(folder) as system:
        yield Examples(system)
