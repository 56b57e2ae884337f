"""Agents ask over stdin and HTTP, with both protocols, and every tool answers."""

from collections.abc import Iterator

import pytest
from mcp.client.client import Client

from common.version import VERSION
from tests.assistant.serving import (
    DAY,
    LAST_ID,
    MODES,
    SPANS,
    TRACES,
    answered,
    connected,
    over_http,
    over_stdio,
    refused,
    spans,
    trace_id,
)
from tests.system.harness import System, running
from tests.waiting import eventually

YEARS_S = 10 * 366 * 86_400
pytestmark = pytest.mark.system


async def every_tool_answers(client: Client) -> None:
    assert client.server_info is not None
    assert client.server_info.version == VERSION
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for tool in tools.values():
        assert tool.output_schema, f"{tool.name} does not say what it answers"
        assert tool.input_schema["additionalProperties"] is False
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
    asked: set[str] = set()

    async def ask(name: str, **arguments: object) -> dict[str, object]:
        asked.add(name)
        return await answered(client, name, **arguments)

    workspace = await ask("get_workspace")
    assert (workspace["team"], workspace["environment"]) == ("Default", "Default")
    assert "shop" in [one["name"] for one in workspace["datasets"]]  # type: ignore[attr-defined]
    fields = await ask("list_fields", dataset="shop", match="service*")
    assert [one["name"] for one in fields["fields"]] == ["service.name"]  # type: ignore[attr-defined]
    recent = await ask("list_fields", dataset="shop", match="status", last_seconds=YEARS_S)
    assert [one["share"] for one in recent["fields"]] == [1.0]  # type: ignore[attr-defined]
    arguments = {"dataset": "shop", "field": "name", "prefix": "c"}
    for given in ({}, {"last_seconds": YEARS_S}):
        values = await ask("list_values", **arguments, **given)
        assert values["values"] == [["cache", TRACES], ["checkout", TRACES]]
    counts = await ask(
        "run_query", dataset="shop", query=f"COUNT, MAX(build) GROUP BY status ORDER BY COUNT {DAY}"
    )
    assert counts["columns"] == ["status", "COUNT", "MAX(build)"]
    assert counts["rows"] == [
        [500, SPANS, str(LAST_ID - 3)], [200, SPANS * (TRACES - 1), str(LAST_ID)],
    ]  # fmt: skip
    assert counts["coverage"]["complete"] is True  # type: ignore[index]
    traces = await ask("run_query", dataset="shop", query=f"COUNT PER trace.trace_id {DAY}")
    assert traces["rows"] == [[TRACES]]
    again = await ask("get_result", dataset="shop", result_id=counts["result_id"], offset=1)
    assert again["rows"] == [[200, SPANS * (TRACES - 1), str(LAST_ID)]]
    rows = await ask("list_rows", dataset="shop", conditions=f"WHERE error = true {DAY}")
    assert [one["data"]["name"] for one in rows["events"]] == ["db"]  # type: ignore[attr-defined]
    differing = await ask("find_differences", dataset="shop", selection="status = 500",
                          conditions=DAY)  # fmt: skip
    assert (differing["inside"], differing["outside"]) == (SPANS, SPANS * (TRACES - 1))
    assert "duration_ms" in [one["name"] for one in differing["fields"]]  # type: ignore[attr-defined]
    found = await ask("search_traces", conditions=f"WHERE any.error = true {DAY}")
    assert (found["found"], found["rows"][0][4]) == (1, 1)  # type: ignore[index]
    trace = await ask("get_trace", trace_id=trace_id(3), fields=["status"])
    assert trace["spans"] == SPANS
    assert [one["marks"]["status"] for one in trace["tree"]] == [500] * SPANS  # type: ignore[attr-defined]
    assert "no event has the trace id" in await refused(client, "get_trace", trace_id="ff")
    compared = await ask("compare_traces", trace=trace_id(3), other=trace_id(0))
    assert compared["counts"]

    async def history() -> list[list[object]]:
        found = await ask("list_queries", dataset="shop", limit=50)
        return found["rows"]  # type: ignore[return-value]

    await eventually(history)  # telemetry is sent once a second
    assert {"query", "values"} & {row[1] for row in await history()}
    assert asked == tools.keys()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running `up` whose dataset `shop` has the spans."""
    with running(tmp_path_factory.mktemp("up"), "--small") as found:
        receipt = found.send("shop", spans())
        found.ask("shop", {"calculations": [{"op": "COUNT"}]}, after=receipt)
        yield found


@pytest.mark.parametrize("mode", MODES)
async def test_every_tool_answers_over_stdin(system: System, mode: str) -> None:
    async with Client(over_stdio(system.url, system.key), mode=mode) as client:
        await every_tool_answers(client)


async def test_every_tool_answers_over_http_with_both_protocols(system: System) -> None:
    data = ("--data", str(system.data))
    assert system.run("environments", "create", "elsewhere", *data).returncode == 0
    made = system.run(
        "keys", "create", "agent", "--read-only", "--set", "up.environment=elsewhere", *data
    )
    own = made.stdout.strip()
    assert own, made.stderr
    async with over_http(system.url, key=system.key) as address:
        for mode in MODES:
            async with connected(address, mode) as client:
                await every_tool_answers(client)
            for headers in ({"X-Honeycomb-Team": own}, {"Authorization": f"Bearer {own}"}):
                async with connected(address, mode, headers) as client:
                    workspace = await answered(client, "get_workspace")
                    assert workspace["environment"] == "elsewhere"
            async with connected(address, mode, {"X-Honeycomb-Team": ""}) as client:
                assert "needs a key" in await refused(client, "get_workspace")
            async with connected(address, mode, {"X-Honeycomb-Team": "WRONG-KEY"}) as client:
                text = await refused(client, "get_workspace")
                assert "unknown API key" in text
                assert "WRONG-KEY" not in text
