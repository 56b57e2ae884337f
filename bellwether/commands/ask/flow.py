"""`bellwether flow`: which step follows which, and which ran at the same time."""

from __future__ import annotations

import click

from bellwether.answers.flows.ask import Duration, ask, population_options
from bellwether.client import Target
from bellwether.options.shared import client_options


@click.command()
@population_options
@click.option("--step", metavar="FIELD", help="What names a step: name unless given.")
@click.option(
    "--skew",
    type=Duration(),
    help="What the clocks of two processes may differ by, 10ms: steps of two processes overlap if "
    "they do so for longer.",
)
@client_options
def flow(
    target: Target,
    text: str,
    datasets: tuple[str, ...],
    instance: str | None,
    process: str | None,
    against: str | None,
    limit: int | None,
    as_json: bool,
    step: str | None,
    skew: float | None,
) -> None:
    """Show which step follows which in an instance, and which steps ran at the same time.

    \b
        bellwether flow 'WHERE root.name = "deploy" LAST 1d'
        bellwether flow 'WHERE service.version = "8"' --against 'WHERE service.version = "7"'

    TEXT has the conditions and the time range of a query; without a range it is the last 2 hours.
    An instance is a trace and a step a span's name, unless other fields are named. With --against
    come the pairs that more, or fewer, instances have than chance explains.
    """
    from bellwether.answers.flows import show

    more = {"instance": instance, "process": process, "step": step, "skew_ms": skew}
    if as_json:
        more["limit"] = limit
        show.print_json(ask(target, text, datasets, against, more))
        return
    answer = ask(target, text, datasets, against, more)
    most = limit or show.USUAL_ROWS
    counted = ("count", "instances", "example ")
    for kind, title, first, second in (
        ("transitions", "what follows what", "from", "to"),
        ("overlaps", "what ran at the same time", "first", "second"),
    ):
        rows = [
            (one[first], one[second], f"{one['count']:,}", f"{one['instances']:,}", one["example"])
            for one in answer[kind]
        ]
        show.print_table(title, (f"{first} ", f"{second} ", *counted), rows, most)
    show.print_differences(answer, "transitions", ("from", "to"), "changed: what follows", most)
    show.print_differences(
        answer, "overlaps", ("first", "second"), "changed: at the same time", most
    )
    show.print_end(answer)
