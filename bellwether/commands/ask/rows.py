"""`bellwether rows`: the events themselves."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import click

from bellwether.client import Target
from bellwether.commands.operate.zones import chosen_zone
from bellwether.options.all_datasets import dataset_named
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import NotUnderstood, client_options

if TYPE_CHECKING:
    from bellwether.answers.rows.show import Form

_USUAL = 20
_NOT_OF_ROWS = ("breakdowns", "orders", "havings", "granularity")


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("text", required=False, default="")
@click.option("-n", "--limit", type=click.IntRange(1), help=f"Events, {_USUAL} unless given.")
@click.option("--all", "everything", is_flag=True, help="Every event, a page after the other.")
@click.option("--fields", multiple=True, metavar="A,B", help="These fields; backticks hold commas.")
@click.option("--oldest", is_flag=True, help="The oldest first.")
@click.option("--tree", is_flag=True, help="Each event as a tree (so is a single one, -n 1).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, nothing cut.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with every field, nothing cut.")
@click.option("--after", default="", help="A receipt: wait until what it names is included.")
@client_options
def rows(
    target: Target,
    dataset: str,
    text: str,
    limit: int | None,
    everything: bool,
    fields: tuple[str, ...],
    oldest: bool,
    tree: bool,
    as_json: bool,
    as_csv: bool,
    after: str,
) -> None:
    """Show events of DATASET, or of every one with '*', the newest first.

    \b
        bellwether rows web 'WHERE status >= 500 LAST 1h'
        bellwether rows web -n 1
        bellwether rows web 'SINCE 2026-01-31 UNTIL 2026-02-01' --all --csv > day.csv

    TEXT has the conditions and the time range of a query; without a range it is the last 2 hours.
    """
    from bellwether.answers.rows.show import ShowOptions, show_events

    dataset = dataset_named(dataset)
    spec = read_events_text(text, dataset)
    most = spec.pop("limit", None) if limit is None else limit
    spec.pop("limit", None)
    if everything and limit is not None:
        raise click.UsageError("--all shows every event: leave -n out")
    most = None if everything else most or _USUAL
    if oldest:
        spec["order"] = "oldest"
    if after:
        spec["after"] = after
    form = _form(tree, as_json, as_csv, most)
    show_events(target, dataset, spec, ShowOptions(form, most, named_fields(fields)))


def show_selected(
    target: Target, dataset: str, spec: dict[str, Any], form: str, after: str
) -> None:
    """What `SELECT *` in the text of a query means. form: one of `query`. Raises ClientError."""
    from bellwether.answers.rows.show import ShowOptions, show_events

    question = {name: value for name, value in spec.items() if name != "limit"}
    if after:
        question["after"] = after
    most = spec.get("limit", _USUAL)
    if form in ("markdown", "arrow"):
        hint = "; bellwether export writes them as a file of Arrow" if form == "arrow" else ""
        raise click.UsageError(f"events are printed as table, json, ndjson or csv{hint}")
    chosen = _form(False, form in ("json", "ndjson"), form == "csv", most)
    show_events(target, dataset, question, ShowOptions(chosen, most))


def _form(tree: bool, as_json: bool, as_csv: bool, most: int | None) -> Form:
    from bellwether.answers.rows.show import Form

    if tree + as_json + as_csv > 1:
        raise click.UsageError("choose one of --tree, --json and --csv")
    if as_json:
        return Form.JSON
    if as_csv:
        return Form.CSV
    return Form.TREE if tree or most == 1 else Form.TABLE


def read_conditions(text: str, dataset: str) -> dict[str, Any]:
    """The conditions alone of a text that has no time range, as a tail takes them."""
    spec = read_events_text(text, dataset)
    for name in ("limit", "start_time", "end_time", "time_range"):
        if name in spec:
            raise click.ClickException(
                "a tail shows events as they come: conditions alone, as in 'WHERE status >= 500'; "
                "`bellwether rows` shows those of a time range"
            )
    return spec


def read_events_text(text: str, dataset: str) -> dict[str, Any]:
    """The conditions and the range of a text that may begin with SELECT *."""
    from common.clock import SystemClock
    from query.text.parser import parse_query
    from query.tokens.errors import QueryTextError

    if not text.strip():
        return {}
    try:
        question = parse_query(text, SystemClock().now_ns(), chosen_zone(None, os.environ))
    except QueryTextError as error:
        text = str(error)
        if re.search(r"\b(order|sort)\s*by\b", text, re.IGNORECASE):
            text += "\nevents come newest first; --oldest turns that round"
        raise NotUnderstood(text) from error
    if question.dataset not in (None, dataset):
        raise click.UsageError(f"FROM names another dataset than {dataset}")
    spec = dict(question.spec)
    calculated = spec.pop("calculations", [{"op": "COUNT"}]) != [{"op": "COUNT"}]
    if calculated or any(spec.get(name) for name in _NOT_OF_ROWS):
        raise click.ClickException(
            "events are shown by conditions and a time range alone, as in "
            "'WHERE status >= 500 LAST 1h'; `bellwether query` calculates and groups"
        )
    spec.pop("rows", None)
    return spec


def named_fields(given: tuple[str, ...]) -> tuple[str, ...] | None:
    """Names out of `a,b` and of several options; one in backticks may hold commas."""
    if not given:
        return None
    names: dict[str, None] = {}
    for text in given:
        for at, part in enumerate(text.split("`")):
            if at % 2:
                names[part] = None
            else:
                names.update(dict.fromkeys(filter(None, map(str.strip, part.split(",")))))
    return tuple(names)
