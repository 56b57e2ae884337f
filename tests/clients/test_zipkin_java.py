"""Zipkin's reporter for Java, unmodified, sends JSON and protobuf, gzipped, to a real shepherd.

Maven installs it, once, into a cache folder outside the repository.
"""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.npm import CACHE
from tests.shepherd.harness import KEY, shepherd

pytestmark = pytest.mark.scenario

REPORTER = "3.4.0"
ZIPKIN = "2.27.1"
SOURCE = Path(__file__).with_name("ZipkinSend.java")
SPANS = 1_000
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bellwether</groupId><artifactId>client</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>{}</dependencies>
</project>
"""
DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)


@pytest.fixture(scope="module")
def libraries() -> Path:
    """A folder with the jars of the client."""
    if not (shutil.which("java") and shutil.which("mvn")):
        pytest.skip("java and maven are not installed: the Java client is not tried")
    folder = CACHE / f"zipkin-java-{REPORTER}"
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        packages = [
            ("io.zipkin.reporter2", "zipkin-reporter", REPORTER),
            ("io.zipkin.reporter2", "zipkin-sender-okhttp3", REPORTER),
            ("io.zipkin.zipkin2", "zipkin", ZIPKIN),
        ]
        pom = POM.format("".join(DEPENDENCY.format(*one) for one in packages))
        (folder / "pom.xml").write_text(pom)
        done = subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"maven could not install the client: {done.stdout[-300:]}")
        (folder / "installed").touch()
    return folder / "lib"


@pytest.mark.parametrize("encoding", ["JSON", "PROTO3"])
async def test_every_span_is_stored_once(tmp_path: Path, libraries: Path, encoding: str) -> None:
    async with shepherd(tmp_path) as server:
        url = f"{server.url}/api/v2/spans"
        process = await asyncio.create_subprocess_exec(
            *("java", "-cp", f"{libraries}/*", str(SOURCE), url, KEY, encoding, str(SPANS)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 300)
        assert process.returncode == 0, out.decode()
        stored: list[Any] = [event.data for event in await server.events("java")]
    spans = {one["n"]: one for one in stored if "n" in one}
    assert sorted(spans) == list(range(1, SPANS + 1)), out.decode()
    assert len(stored) == 2 * SPANS
    for n in (1, SPANS):
        assert spans[n] == {
            "trace.trace_id": f"{n:016x}",
            "trace.span_id": f"{n:016x}",
            "name": "work",
            "service.name": "java",
            "type": "producer",
            "span.kind": "producer",
            "duration_ms": n / 1_000,
            "span.num_events": 1,
            "meta.signal_type": "trace",
            "network.local.address": "10.0.0.7",
            "network.local.port": 80,
            "network.peer.address": "2001:db8::1",
            "peer.service": "queue",
            "n": n,
        }
