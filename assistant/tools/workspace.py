"""Where the agent is: team, environment, rights of the key, datasets."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any

from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from assistant.answers import Answer, Coverage, cell
from assistant.api import Api, Calling
from common import limits

_NO_EVENTS = Coverage(complete=True, statement="no events are read for this")


class Dataset(BaseModel):
    """A dataset."""

    name: str
    description: str
    fields: int | None = Field(description="Number of its fields; null: too many to count here.")
    last_written: str | None = Field(description="When its newest event arrived, RFC 3339.")


class Workspace(Answer):
    """Team, environment and datasets."""

    team: str
    environment: str
    rights: list[str] = Field(description="What the key may do.")
    datasets: list[Dataset]

    def lines(self) -> Iterable[str]:
        yield f"team {self.team}, environment {self.environment}; may: {', '.join(self.rights)}"
        if not self.datasets:
            yield "no datasets"
        for one in self.datasets:
            about = f": {one.description}" if one.description else ""
            count = "" if one.fields is None else f", {one.fields} fields"
            yield f"- {one.name}{about} (last written {one.last_written or 'never'}{count})"


class WorkspaceTools:
    """Tools about the environment as a whole."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def tools(self) -> tuple[Callable[..., Awaitable[CallToolResult]], ...]:
        """The tools of this subject."""
        return (self.get_workspace,)

    async def get_workspace(
        self,
        calling: Calling,
        match: Annotated[str, Field(description="Only datasets whose name has this part.")] = "",
    ) -> Annotated[CallToolResult, Workspace]:
        """Team, environment, what the key may do, and the datasets: begin here."""
        who = await self._api.get(calling, "/1/auth")
        found: list[dict[str, Any]] = await self._api.get(calling, "/1/datasets")
        wanted = match.casefold()
        named = [one for one in found if wanted in str(one["name"]).casefold()]
        shown = named[: limits.AGENT_LISTED_MAX]
        more = (
            f"{len(named) - len(shown)} more datasets: give `match`, a part of the name"
            if len(named) > len(shown) else ""
        )  # fmt: skip
        access = who.get("api_key_access") or {}
        return Workspace(
            coverage=_NO_EVENTS,
            more=more,
            team=who["team"]["name"],
            environment=who["environment"]["name"],
            rights=[name for name, given in access.items() if given and "_" not in name],
            datasets=[
                Dataset(
                    name=one["name"],
                    description=str(cell(one.get("description") or "")),
                    fields=one.get("regular_columns_count"),
                    last_written=one.get("last_written_at"),
                )
                for one in shown
            ],
        ).reply()
