"""`bellwether fields`: which fields a dataset has."""

from __future__ import annotations

import sys
from typing import Any

import click
import orjson

from bellwether.client import Target
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import NotUnderstood, client_options
from bellwether.output import printable

_USUAL = 100
_PAGE = 200  # the server's most with details


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("pattern", required=False, default="")
@click.option("-n", "--limit", type=click.IntRange(1), help=f"Fields, {_USUAL} unless given.")
@click.option("--all", "everything", is_flag=True, help="Every field, however many.")
@click.option("--last", metavar="DURATION", help="Count and look for values in it, as in 24h.")
@click.option("--names", is_flag=True, help="Names alone, one per line; reads no event.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--samples", type=click.IntRange(0, 20), default=3, help="Values of each field.")
@client_options
def fields(
    target: Target,
    dataset: str,
    pattern: str,
    limit: int | None,
    everything: bool,
    last: str | None,
    names: bool,
    as_json: bool,
    samples: int,
) -> None:
    """List the fields of DATASET, or those that PATTERN means.

    PATTERN is a part of the name, or its shape with * and ?; case does not matter. Shares, last
    times and values are those of the last 2 hours, or of the 2 hours before the newest event.
    """
    from bellwether.client.caller import calling

    question: dict[str, Any] = {"dataset": dataset, "match": pattern, "samples": samples}
    question |= read_range(last)
    if names:
        question["details"] = False
    most = None if everything else limit or _USUAL
    found: list[dict[str, Any]] = []
    shown, more, answer = 0, False, dict[str, Any]()
    with calling(target) as caller:
        while most is None or shown < most:
            page = _PAGE if not names else 10_000
            question["limit"] = page if most is None else min(page, most - shown)
            answer = caller.json("POST", "/bw/1/fields", question)
            shown += len(answer["fields"])
            if names or as_json:
                _print_lines(answer["fields"], names)
            else:
                found += answer["fields"]
            question["cursor"], more = answer["next"], answer["next"] is not None
            if not more:
                break
        if not shown:
            _say_none(caller, dataset, pattern)
    if found:
        from bellwether.rows.fields_table import print_fields

        print_fields(found)
    if more:
        click.echo(f"the first {shown:,} fields; there are more (--all, or a PATTERN)", err=True)
    if shown:
        for note in answer.get("notes", []):
            click.echo(printable(note), err=True)
        if not answer.get("coverage", {"complete": True})["complete"]:
            click.echo("INCOMPLETE: not every partition has answered", err=True)


def _print_lines(some: list[dict[str, Any]], names: bool) -> None:
    for one in some:
        click.echo(printable(one["name"]) if names else orjson.dumps(one).decode())


def _say_none(caller: Any, dataset: str, pattern: str) -> None:
    """Why there is nothing to list; names near to what was asked for."""
    near: list[str] = []
    if pattern:
        answer = caller.json(
            "POST", "/bw/1/fields", {"dataset": dataset, "name": pattern, "details": False}
        )
        near = [note for note in answer["notes"] if "did you mean" in note]
    text = f"no field of {dataset} fits {pattern!r}" if pattern else f"{dataset} has no event yet"
    click.echo(near[0] if near else text, err=True)
    sys.exit(1)


def read_range(last: str | None) -> dict[str, Any]:
    """The member that a duration stands for, if there is one. Raises NotUnderstood."""
    if last is None:
        return {}
    from query.text.parser import parse_query
    from query.tokens.errors import QueryTextError

    try:
        spec = parse_query(f"LAST {last}", 0).spec
    except QueryTextError as error:
        raise NotUnderstood(str(error)) from error
    return {"time_range": spec["time_range"]}
