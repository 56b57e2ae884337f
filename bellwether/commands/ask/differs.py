"""`bellwether differs`: in which fields some events of a question differ from its others."""

from __future__ import annotations

from typing import Any

import click
import orjson

from bellwether.client import Target
from bellwether.commands.ask.rows import named_fields, read_events_text
from bellwether.options.all_datasets import dataset_named
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import client_options

_USUAL = 10
_RANGE_BEGINS = ("WHERE", "SINCE", "UNTIL", "LAST", "SELECT")


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("text", required=False, default="")
@click.option(
    "--selection", required=True, metavar="CONDITIONS",
    help="Events that are compared with the others: 'duration_ms > 500'; a range of times too.",
)  # fmt: skip
@click.option("-n", "--limit", type=click.IntRange(1, 1_000), help=f"Fields (default: {_USUAL}).")
@click.option("--fields", multiple=True, metavar="A,B", help="Only these; backticks hold commas.")
@click.option("--match", default="", metavar="PATTERN", help="Only fields that it means.")
@click.option("--json", "as_json", is_flag=True, help="The whole answer.")
@click.option("--after", default="", help="A receipt: wait until what it names is included.")
@client_options
def differs(
    target: Target,
    dataset: str,
    text: str,
    selection: str,
    limit: int | None,
    fields: tuple[str, ...],
    match: str,
    as_json: bool,
    after: str,
) -> None:
    """Show in which fields selected events of DATASET ('*': of all) differ from its others.

    \b
        bellwether differs web 'WHERE service = api LAST 1h' --selection 'duration_ms > 500'

    TEXT has the conditions and the time range of a query; without a range it is the last 2 hours.
    Fields that differ most come first; how that is measured is in docs/differences.md.
    """
    from bellwether.answers.differences.show import print_differences
    from bellwether.client.caller import calling

    dataset = dataset_named(dataset)
    question: dict[str, Any] = {
        "dataset": dataset,
        "query": read_events_text(text, dataset),
        "selection": _selection(selection, dataset),
        "limit": limit or _USUAL,
    }
    question |= {"fields": list(named_fields(fields) or ())} if fields else {}
    question |= {name: value for name, value in (("match", match), ("after", after)) if value}
    with calling(target) as caller:
        answer = caller.json("POST", "/bw/1/differences", question)
    if as_json:
        click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    print_differences(answer)


def _selection(text: str, dataset: str) -> dict[str, Any]:
    """The selection that a text means: conditions, with or without WHERE, and a range of times."""
    from common.clock import SystemClock

    first = text.split(maxsplit=1)[:1]
    if not first:
        raise click.UsageError("--selection has conditions: 'duration_ms > 500'")
    if first[0].upper() not in _RANGE_BEGINS:
        text = f"WHERE {text}"
    spec = read_events_text(text, dataset)
    if spec.pop("limit", None) is not None:
        raise click.UsageError("--selection has conditions and a range of times: leave LIMIT out")
    length = spec.pop("time_range", None)
    if length is not None and "start_time" in spec:
        spec["end_time"] = spec["start_time"] + length
    elif length is not None:
        end_s = spec.get("end_time", SystemClock().now_ns() // 10**9 + 1)
        spec |= {"start_time": end_s - length, "end_time": end_s}
    return spec
