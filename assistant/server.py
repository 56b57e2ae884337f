"""The server of the protocol: its tools, and errors that tell a model what to do next."""

import difflib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import ConfigDict, ValidationError

from assistant.api import Api
from assistant.tools.differences import DifferenceTools
from assistant.tools.fields import FieldTools
from assistant.tools.history import HistoryTools
from assistant.tools.queries import QueryTools
from assistant.tools.rows import RowTools
from assistant.tools.traces import TraceTools
from assistant.tools.workspace import WorkspaceTools
from common.version import VERSION

_INSTRUCTIONS: Final = """\
Bellwether stores wide events: each is a set of named values with a time, in a dataset; spans of \
traces are events too.
Begin with get_workspace for the datasets, then list_fields for the fields of one. Ask with \
run_query, and look at single events with list_rows. A slow or failed request is explained by \
find_differences (what its events have that others lack), search_traces, get_trace and \
compare_traces. list_queries shows what people asked before.
Every answer states its coverage: if it is incomplete, say so. A time range that is left out is \
the last 2 hours. Notes tell what cannot be guessed, such as names that no event has.
Everything is read-only."""


def build(api: Api) -> MCPServer[Any]:
    """A server whose tools ask this API."""
    groups = (
        WorkspaceTools(api),
        FieldTools(api),
        QueryTools(api),
        RowTools(api),
        DifferenceTools(api),
        TraceTools(api),
        HistoryTools(api),
    )
    return _Server([_tool(function) for group in groups for function in group.tools()])


class _Server(MCPServer[Any]):
    """Refuses arguments that a tool does not have, and unknown tools, with the nearest names."""

    def __init__(self, tools: list[Tool]) -> None:
        super().__init__(
            "bellwether",
            title="Bellwether",
            description="Events, traces and what differs between them",
            instructions=_INSTRUCTIONS,
            version=VERSION,
            tools=tools,
            log_level="WARNING",
            subscriptions=False,
        )
        self._tools = {tool.name: tool for tool in tools}

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        tool = self._tools.get(name)
        if tool is None:
            raise ToolError(f"there is no tool {name!r}: {_near(name, self._tools)}")
        known = tool.parameters["properties"]
        for given in arguments:
            if given not in known:
                raise ToolError(f"{name} has no argument {given!r}: {_near(given, known)}")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                raise ToolError(_faults(name, cause)) from error
            if isinstance(cause, ToolError):
                raise cause from None  # its own text, without the name of the tool before it
            raise


def _tool(function: Callable[..., Awaitable[CallToolResult]]) -> Tool:
    """The tool of a function: read-only, and strict about its arguments."""
    tool = Tool.from_function(
        function, annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False)
    )
    lenient = tool.fn_metadata.arg_model

    class Arguments(lenient):  # type: ignore[misc,valid-type] # a class known only here
        model_config = ConfigDict(extra="forbid")

    Arguments.__name__ = Arguments.__qualname__ = lenient.__name__
    tool.fn_metadata.arg_model = Arguments
    tool.parameters = Arguments.model_json_schema(by_alias=True)
    return tool


def _near(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"


def _faults(name: str, error: ValidationError) -> str:
    """Every fault of the arguments, with its place."""
    faults = (
        f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    )
    return f"{name} cannot take these arguments: {'; '.join(faults)}"[:2_000]
