"""`bellwether states`: how instances go through states, and where they are now."""

from __future__ import annotations

from typing import Any

import click

from bellwether.answers.flows.ask import Duration, ask, population_options
from bellwether.client import Target
from bellwether.options.shared import client_options

_STATE = "state.name"


@click.command()
@population_options
@click.option("--step", metavar="FIELD", help=f"What names a state: {_STATE} unless given.")
@click.option("--next", "following", metavar="FIELD", help="What names the state that follows.")
@click.option(
    "--terminal", multiple=True, metavar="STATE", help="A state after which nothing follows."
)
@click.option(
    "--silent",
    type=Duration(),
    help="A state that began and of whose instance nothing came for longer counts as interrupted: "
    "10m.",
)
@click.option(
    "--repeats", type=click.IntRange(1), help="List instances in a state more often: 1 time."
)
@client_options
def states(
    target: Target,
    text: str,
    datasets: tuple[str, ...],
    instance: str | None,
    process: str | None,
    against: str | None,
    limit: int | None,
    as_json: bool,
    step: str | None,
    following: str | None,
    terminal: tuple[str, ...],
    silent: float | None,
    repeats: int | None,
) -> None:
    """Show the states of instances: how often and how long each, what follows, who is where now.

    \b
        bellwether states 'WHERE state.machine = "replace" LAST 1d'
        bellwether states --instance request_id --step phase --terminal done

    TEXT has the conditions and the time range of a query; without a range it is the last 2 hours.
    A state that has not ended was not stored: how it is known where an instance is stands beside
    it (announced, inferred, interrupted, unknown; see docs/traces.md).
    """
    from bellwether.answers.flows import show

    more: dict[str, Any] = {
        "instance": instance,
        "process": process,
        "step": step or _STATE,
        "next": following,
        "terminal": list(terminal),
        "silent_s": None if silent is None else silent / 1_000,
        "repeats_over": repeats,
    }
    if as_json:
        more["limit"] = limit
        show.print_json(ask(target, text, datasets, against, more))
        return
    answer = ask(target, text, datasets, against, more)
    most = limit or show.USUAL_ROWS
    _print_states(answer, most)
    _print_unfinished(answer, most)
    show.print_differences(answer, "transitions", ("from", "to"), "changed: what follows", most)
    show.print_end(answer)


def _print_states(answer: dict[str, Any], most: int) -> None:
    from bellwether.answers.flows import show

    times = ("p50_ms", "p95_ms", "max_ms")
    show.print_table(
        "states",
        ("state ", "count", "instances", "errors", "p50", "p95", "max"),
        [
            (
                one["step"],
                *(f"{one[name]:,}" for name in ("count", "instances", "errors")),
                *(show.known_duration(one[name]) for name in times),
            )
            for one in answer["steps"]
        ],
        most,
    )
    show.print_table(
        "transitions",
        ("from ", "to ", "count", "instances", "example "),
        [
            (one["from"], one["to"], f"{one['count']:,}", f"{one['instances']:,}", one["example"])
            for one in answer["transitions"]
        ],
        most,
    )


def _print_unfinished(answer: dict[str, Any], most: int) -> None:
    from bellwether.answers.flows import show

    show.print_table(
        "not finished",
        ("state ", "known ", "instances"),
        [
            (one["step"], one["known"], f"{one['instances']:,}")
            for one in answer["unfinished_by_step"]
        ],
        most,
    )
    show.print_table(
        "who (! longer than the state's p99)",
        ("instance ", "state ", "known ", "for", "visits", "since ", "next "),
        [
            (
                one["instance"],
                one["step"],
                one["known"],
                show.known_duration(one["for_ms"]) + (" !" if one["longer_than_p99"] else ""),
                f"{one['visits']:,}",
                one["since"][:19] + "Z",
                one["next"] or "-",
            )
            for one in answer["unfinished"]
        ],
        most,
    )
    show.print_table(
        "in a state again",
        ("instance ", "state ", "visits"),
        [(one["instance"], one["step"], f"{one['visits']:,}") for one in answer["repeated"]],
        most,
    )
