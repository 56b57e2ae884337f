"""The request of `POST /bw/1/flows` out of the options of a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

from bellwether.client import Target
from bellwether.commands.ask.rows import read_events_text

F = TypeVar("F", bound=Callable[..., Any])
_POPULATION: Final = ("filters", "filter_combination", "time_range", "start_time", "end_time")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNIT_MS: Final = {"ms": 1.0, "s": 1e3, "m": 60e3, "h": 3_600e3, "d": 86_400e3}


class Duration(click.ParamType[float]):
    """A duration such as `100ms` or `2h`, in milliseconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Milliseconds."""
        if isinstance(value, float):
            return value
        found = _DURATION.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{value!r} is no duration, as 100ms, 30s, 10m, 2h or 1d are", param, ctx)
        return float(found[1]) * _UNIT_MS[found[2]]


_OPTIONS: Final = (
    click.argument("text", required=False, default=""),
    click.option(
        "--dataset", "datasets", multiple=True, metavar="NAME",
        help="Only events of it, or of several; else of all datasets.",
    ),
    click.option(
        "--instance", metavar="FIELD",
        help="What names an instance: trace.trace_id unless given.",
    ),
    click.option(
        "--process", metavar="FIELD",
        help="What names a process; service.instance.id unless given, else host and pid.",
    ),
    click.option(
        "--against", metavar="TEXT",
        help="Compare with others: a condition ('WHERE version = 1'), a range, or both.",
    ),
    click.option("-n", "--limit", type=click.IntRange(1, 10_000), help="Rows of each table, 20."),
    click.option("--json", "as_json", is_flag=True, help="The whole answer, for programs."),
)  # fmt: skip


def population_options(command: F) -> F:
    """The options that choose events and what they are compared with."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def ask(
    target: Target,
    text: str,
    datasets: Sequence[str],
    against: str | None,
    more: dict[str, Any],
) -> dict[str, Any]:
    """The answer. more: members of the request; those that are None or empty are left out.

    Raises ClientError, NotUnderstood.
    """
    from bellwether.client.caller import calling

    question = population_of(text)
    if against is not None:
        other = population_of(against)
        if not other:
            raise click.UsageError("--against needs a condition or a time range: 'LAST 1d'")
        question["against"] = other
    if datasets:
        question["datasets"] = list(datasets)
    question |= {name: value for name, value in more.items() if value not in (None, ())}
    with calling(target) as caller:
        answer: dict[str, Any] = caller.json("POST", "/bw/1/flows", question)
    return answer


def population_of(text: str) -> dict[str, Any]:
    """The conditions and the range of a text. Raises NotUnderstood, UsageError."""
    spec = read_events_text(text, "")
    for name in spec:
        if name not in _POPULATION:
            raise click.UsageError(f"only conditions and a time range are read here, not {name}")
    return spec
