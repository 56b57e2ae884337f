"""`bellwether fields`: which fields a dataset has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

import click
import orjson

from bellwether.client import Target
from bellwether.options.all_datasets import dataset_named
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import NotUnderstood, client_options
from bellwether.output import printable
from common import limits

if TYPE_CHECKING:
    from bellwether.client.caller import Caller

_USUAL = 100
_PAGE = 200  # the server's most with details


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("pattern", required=False, default="")
@click.option("-n", "--limit", type=click.IntRange(1), help=f"Fields, {_USUAL} unless given.")
@click.option("--all", "everything", is_flag=True, help="Every field, however many.")
@click.option("--last", metavar="DURATION", help="Count in the events of it, as in 24h.")
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
    """List the fields of DATASET ('*': of all), or those that PATTERN means.

    PATTERN is words that are in the name, the description or a value, or the name's shape with *
    and ?; case does not matter. What is listed is that of all stored events. With --last, shares
    and values are counted in the events of that time, and PATTERN is of names alone.
    """
    from bellwether.client.caller import calling

    dataset = dataset_named(dataset)
    most = None if everything else limit or _USUAL
    with calling(target) as caller:
        if names or last is not None:
            question: dict[str, Any] = {"dataset": dataset, "match": pattern, "samples": samples}
            question |= read_range(last)
            listed = _counted(caller, question, most, names=names)
        else:
            listed = _stored(caller, dataset, pattern, most, samples)
        if not listed.fields:
            _say_none(caller, dataset, pattern)
    if names or as_json:
        for one in listed.fields:
            click.echo(printable(one["name"]) if names else orjson.dumps(one).decode())
    elif last is not None:
        from bellwether.answers.rows.fields_table import print_fields

        print_fields(listed.fields)
    else:
        from bellwether.answers.rows.stored_fields_table import print_stored_fields

        print_stored_fields(listed.fields, samples)
    if listed.more:
        shown = len(listed.fields)
        click.echo(f"the first {shown:,} fields; there are more (--all, or a PATTERN)", err=True)
    for note in listed.answer.get("notes", []):
        click.echo(printable(note), err=True)
    if not listed.answer.get("coverage", {"complete": True})["complete"]:
        click.echo("INCOMPLETE: not every partition has answered", err=True)


class _Listed(NamedTuple):
    """answer: the last page."""

    fields: list[dict[str, Any]]
    more: bool
    answer: dict[str, Any]


def _counted(caller: Caller, question: dict[str, Any], most: int | None, *, names: bool) -> _Listed:
    """Fields with what is counted in a time range, or their names alone."""
    page = 10_000 if names else _PAGE
    question |= {"details": False} if names else {}

    def ask(limit: int, cursor: str | None) -> dict[str, Any]:
        asked = question | {"limit": limit, "cursor": cursor}
        found: dict[str, Any] = caller.json("POST", "/bw/1/fields", asked)
        return found

    return _pages(ask, page, most)


def _stored(caller: Caller, dataset: str, pattern: str, most: int | None, samples: int) -> _Listed:
    """Fields with what is known of all stored events."""
    kind = "match" if any(one in pattern for one in "*?") else "search"
    chosen = {kind: pattern} if pattern else {}

    def ask(limit: int, cursor: str | None) -> dict[str, Any]:
        asked = chosen | {"samples": str(samples), "limit": str(limit)}
        asked |= {"cursor": cursor} if cursor is not None else {}
        path = f"/bw/1/fields/{quote(dataset, safe='')}?{urlencode(asked)}"
        found: dict[str, Any] = caller.json("GET", path)
        return found

    return _pages(ask, limits.FIELD_FACTS_PAGE, most)


def _pages(
    ask: Callable[[int, str | None], dict[str, Any]], page: int, most: int | None
) -> _Listed:
    found, cursor = list[dict[str, Any]](), None
    while True:
        size = page if most is None else min(page, most - len(found))
        answer = ask(size, cursor)
        found += answer["fields"]
        cursor = answer["next"]
        if cursor is None or (most is not None and len(found) >= most):
            return _Listed(found if most is None else found[:most], cursor is not None, answer)


def _say_none(caller: Caller, dataset: str, pattern: str) -> None:
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
