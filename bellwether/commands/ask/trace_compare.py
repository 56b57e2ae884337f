"""`bellwether trace compare`: what differs between two traces, or from many good ones."""

from __future__ import annotations

from typing import Any, Final

import click

from bellwether.client import Target
from bellwether.options.shared import client_options

_USUAL: Final = 20


@click.command()
@click.argument("trace_id", metavar="ID")
@click.argument("other", metavar="[OTHER]", required=False)
@click.option(
    "--against",
    metavar="TEXT",
    help="Compare with the typical of the traces that meet these conditions.",
)
@click.option("-n", "--limit", type=click.IntRange(1), help=f"Lines, {_USUAL} unless given.")
@click.option("--json", "as_json", is_flag=True, help="The whole answer, for programs.")
@client_options
def compare(
    target: Target,
    trace_id: str,
    other: str | None,
    against: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show what the trace OTHER has, lacks or does slower than the trace ID.

    \b
        bellwether trace compare GOOD BAD
        bellwether trace compare BAD --against 'WHERE none.error = true AND root.name = a LAST 1d'

    Spans are the same step if their service, name and kind are equal, ids and numbers in the name
    apart; those that ran at once may have changed places. With --against the trace ID is compared
    with the typical of up to 30 others, and only what is rare among them is told.
    """
    from bellwether.answers.flows import show
    from bellwether.client.caller import calling

    if (other is None) == (against is None):
        raise click.UsageError("name two traces, or one and --against 'WHERE ...'")
    question: dict[str, Any]
    if against is not None:
        question = {"trace": trace_id, "against": against}
    else:
        question = {"trace": other, "with": trace_id}
    if as_json and limit is not None:
        question["limit"] = limit
    with calling(target) as caller:
        answer = caller.json("POST", "/bw/1/traces/compare", question)
    if as_json:
        show.print_json(answer)
        return
    _print(answer, limit or _USUAL)


def _print(answer: dict[str, Any], most: int) -> None:
    from bellwether.answers.results.notes import coverage_text
    from bellwether.output import printable

    reference = answer["reference"]
    of = f"the typical of {reference['traces']}: " if reference["traces"] > 1 else ""
    click.echo(
        printable(
            f"{answer['trace']['id']} ({answer['trace']['spans']:,} spans) against {of}"
            f"{reference['id']} ({reference['spans']:,} spans)"
        )
    )
    found = answer["differences"]
    if not found:
        click.echo("no difference")
    for one in found[:most]:
        click.echo(printable(_line(one)))
    more = sum(answer["counts"].values()) - min(most, len(found))
    if more:
        click.echo(f"{more:,} more differences (-n)", err=True)
    for note in answer["notes"]:
        click.echo(printable(note), err=True)
    text = coverage_text(answer["coverage"])
    if text:
        click.echo(text, err=True)


def _line(one: dict[str, Any]) -> str:
    from bellwether.answers.traces.waterfall import duration_text

    name = f"{one['service']}: {one['name']}" if one["service"] else one["name"]
    where = f" below {one['parent']}" if one["parent"] else ""
    size = f" with {one['spans'] - 1:,} below it" if one["spans"] > 1 else ""
    text = f"{one['what']:<9} {name}{where}{size}"
    if one["what"] == "slower":
        text += f": {duration_text(one['found'])} instead of {duration_text(one['usual'])}"
    elif one["what"] == "field":
        text += f": {one['field']} is {one['found']!r}, usually {one['usual']!r}"
    return f"{text}  [{one['span_id']}]"
