"""Requests made from the document, right ones and wrong ones: never a 5xx, and every answer is one
that the document tells of.
"""

import asyncio
import sys
from pathlib import Path

import pytest

from common.process.versions import OWN
from tests.query.harness import query_harness

SECONDS = 25  # of the test command: each operation gets its turn, some examples at a time
SECONDS_LONG = 120
# A shepherd's routes are not served by a query role; a tail has no end.
LEFT_OUT = r"/(1/(events|batch)/|v1/|api/v[12]/spans|x/alive|1/auth|bw/1/tail/)"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)
# Of methods only those that a client may try: 501 is the answer to one that HTTP/1.1 servers need
# not know, such as TRACE.
CONFIG = """
[parameters]
"path.dataset" = "shop"
[phases.coverage]
unexpected-methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
"""


@pytest.mark.slow
async def test_no_request_of_the_document_is_a_server_error_or_answered_as_it_does_not_say(
    tmp_path: Path,
) -> None:
    await tried(tmp_path, SECONDS, examples=3)


@pytest.mark.scenario
async def test_no_request_of_very_many_is_a_server_error_or_answered_as_it_does_not_say(
    tmp_path: Path,
) -> None:
    await tried(tmp_path, SECONDS_LONG, examples=100)


async def tried(tmp_path: Path, seconds: int, examples: int) -> None:
    """Requests of all operations, at most so many seconds. examples: random ones of each."""
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    async with query_harness(tmp_path / "role") as role:
        for indexer in role.indexers.values():
            indexer.announce(OWN)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{role.url}/bw/1/openapi.json", "-H", "X-Honeycomb-Team: K"),
            *("--exclude-path-regex", LEFT_OUT, "--checks", CHECKS),
            *("--phases", "coverage,fuzzing", "--max-time", str(seconds)),
            *("--max-examples", str(examples)),
            *("--continue-on-failure", "--suppress-health-check", "all", "--no-color"),
            *("--seed", "1", "--warnings", "off"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            printed, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    shown = printed.decode(errors="replace")
    assert process.returncode == 0, shown[-6000:]
    print(shown[-600:])
