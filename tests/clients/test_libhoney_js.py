"""The vendor's JavaScript client, unmodified, sends to a real shepherd (contract: clients seen).

It is installed by npm, once, into a cache folder outside the repository.
"""

import asyncio
from pathlib import Path

import orjson
import pytest

from tests.clients.npm import folder_with
from tests.shepherd.harness import KEY, shepherd

pytestmark = pytest.mark.slow

VERSION = "4.3.1"
SCRIPT = Path(__file__).with_name("libhoney_send.js")


@pytest.fixture(scope="module")
def client_folder() -> Path:
    """A folder whose node_modules holds the pinned client."""
    return folder_with(f"libhoney-js-{VERSION}", f"libhoney@{VERSION}")


async def test_every_event_gets_its_own_status_and_is_stored_exactly(
    tmp_path: Path, client_folder: Path
) -> None:
    async with shepherd(tmp_path) as server:
        process = await asyncio.create_subprocess_exec(
            "node",
            str(SCRIPT),
            str(client_folder),
            server.url,
            KEY,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        stored = await server.events("js-client")
    statuses = {line["n"]: line["status"] for line in map(orjson.loads, out.splitlines())}
    assert len(statuses) == 103
    assert [statuses[n] for n in range(4)] == [202] * 4
    assert len(stored) == 103
    assert {event.time_ns for event in stored} == {1795248341123 * 10**6}
    assert {"plain": 1, "half": 0.5, "s": "é", "o": {"x": [1]}} in [e.data for e in stored]
    assert {"nan": None} in [event.data for event in stored]  # the client sends null
