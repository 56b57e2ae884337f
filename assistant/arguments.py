"""Arguments that several tools take, with what a model is told about them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from query.text.parser import TextQuery, parse_query
from query.tokens.errors import QueryTextError

_RANGE_S_MAX: Final = 10 * 366 * 86_400
DatasetName = Annotated[str, Field(min_length=1, max_length=255, description="A dataset's name.")]
OnlyLastSeconds = Annotated[
    int | None,
    Field(
        ge=1,
        le=_RANGE_S_MAX,
        description="Only events of so many seconds until now, which are read for it; else all "
        "that is stored, from summaries.",
    ),
]
TraceId = Annotated[str, Field(min_length=1, max_length=256, description="A trace's id.")]
Conditions = Annotated[
    str,
    Field(
        max_length=20_000,
        description="Conditions and a time range, such as: WHERE status >= 500 AND name = 'a b' "
        "LAST 1d",
    ),
]


def read_text(text: str) -> TextQuery:
    """A question in words. Raises ToolError with a mark under what cannot be read."""
    now_ns = int(datetime.now(UTC).timestamp() * 10**9)
    try:
        return parse_query(text, now_ns)
    except QueryTextError as error:
        raise ToolError(f"this cannot be read: {error}") from error


def read_conditions(text: str) -> dict[str, Any]:
    """Members of a request that a text of conditions and a time range stands for. Raises ToolError.

    `limit` is among them if the text has one.
    """
    if not text.strip():
        return {}
    found = read_text(text)
    if found.dataset is not None:
        raise ToolError("the dataset is an argument of its own: leave FROM out")
    spec = dict(found.spec)
    spec.pop("rows", None)
    calculated = spec.pop("calculations", [{"op": "COUNT"}]) != [{"op": "COUNT"}]
    if calculated or any(spec.get(name) for name in ("breakdowns", "orders", "havings")):
        raise ToolError(
            "conditions and a time range alone stand here (WHERE status >= 500 LAST 1h): "
            "run_query calculates and groups"
        )
    return spec
