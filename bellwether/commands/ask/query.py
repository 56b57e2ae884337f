"""`bellwether query`: asks a question; without arguments it is the query role."""

import os
import sys
from datetime import tzinfo
from pathlib import Path
from typing import Any

import click
import orjson

from bellwether.answers.results.formats import FORMATS
from bellwether.answers.results.print_answer import print_answer
from bellwether.commands.ask.rows import show_selected
from bellwether.commands.operate.zones import chosen_zone
from bellwether.commands.run.roles import PARENT_FD, run
from bellwether.options.all_datasets import as_typed, dataset_named
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import (
    NotUnderstood,
    chosen_target,
    configuration_options,
    server_options,
)
from common.clock import SystemClock
from query.tokens.errors import QueryTextError

_ASK = "say what to ask, for instance: 'COUNT GROUP BY service'"
_NOT_THE_ROLE = (
    "which dataset, and what to ask? bellwether query DATASET 'COUNT GROUP BY service' (in a "
    "terminal the query role is run with --data, --config or --set; `bellwether up` runs all roles)"
)
_NO_DATASET = "which dataset? bellwether query DATASET 'COUNT ...', or FROM in the question"


@click.command()
@click.argument("dataset", required=False, shell_complete=complete_dataset)
@click.argument("text", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="json is the whole answer, the others its rows.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option("--csv", "form", flag_value="csv", help="The same as --format csv.")
@click.option(
    "--arrow", "form", flag_value="arrow", help="The same as --format arrow: an Arrow IPC stream."
)
@click.option("--series", is_flag=True, help="Every step in time, instead of totals with graphs.")
@click.option(
    "--zone",
    help="Of times without one, and of the times shown: Europe/Berlin, +02:00 "
    "(default: TZ, else UTC).",
)
@click.option("--explain", is_flag=True, help="Print the query specification, ask nothing.")
@click.option("--after", default="", help="A receipt: wait until what it names is included.")
@server_options
@PARENT_FD
@configuration_options
def query(
    dataset: str | None,
    text: str | None,
    form: str,
    series: bool,
    zone: str | None,
    explain: bool,
    after: str,
    url: str | None,
    key: str | None,
    server: str | None,
    insecure: bool,
    parent_fd: int | None,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Ask DATASET the question TEXT and print a table.

    \b
        bellwether query web 'COUNT, P99(duration_ms) WHERE status >= 500 GROUP BY service LAST 2h'

    DATASET may be * (in quotes), as in FROM *: every dataset of the environment.

    Without arguments, and not from a terminal, it runs the query role (`bellwether up` does it
    for you; from a terminal it needs --data, --config or --set).
    """
    if dataset is None:
        asked_as_client = (form != "table", series, zone, explain, after, url, key, server)
        role_options = parent_fd is not None or config is not None or data is not None or sets
        by_hand = not role_options and sys.stdin.isatty()
        if any(asked_as_client) or insecure or by_hand:
            raise click.UsageError(_NOT_THE_ROLE)
        run(("query",), parent_fd, config, data, sets)
        return
    moment_zone = chosen_zone(zone, os.environ)
    dataset, spec = _read(dataset, text, moment_zone)
    if explain:
        click.echo(orjson.dumps(spec, option=orjson.OPT_INDENT_2).decode())
        return
    target = chosen_target(url, key, server, data, insecure)
    if spec.get("rows"):
        if series:
            raise click.UsageError("events have no steps: --series is for calculations")
        show_selected(target, dataset, spec, form, after)
        return
    from bellwether.client.caller import calling
    from bellwether.client.run_query import run_query

    with calling(target) as caller:
        document = run_query(caller, dataset, spec, after, series=series)
    breakdowns = list(spec.get("breakdowns") or [])
    print_answer(document, breakdowns, form, series=series, zone=moment_zone)


def _read(dataset: str, text: str | None, zone: tzinfo) -> tuple[str, dict[str, Any]]:
    """The dataset and the specification. A text alone may name its dataset with FROM."""
    from query.text.parser import parse_query  # not for help, and not for the role

    alone = text is None
    if not alone:
        dataset = dataset_named(dataset)
    try:
        question = parse_query(dataset if text is None else text, SystemClock().now_ns(), zone)
    except QueryTextError as error:
        if alone and not _is_text(dataset):
            raise click.UsageError(_ASK) from error
        raise NotUnderstood(str(error)) from error
    if alone and question.dataset is None:
        raise click.UsageError(_NO_DATASET if _is_text(dataset) else _ASK)
    if not alone and question.dataset is not None and question.dataset != dataset:
        raise click.UsageError(
            f"FROM names {as_typed(question.dataset)}, and {as_typed(dataset)} is to be asked: "
            "leave one of them out"
        )
    return (question.dataset or dataset) if alone else dataset, question.spec


def _is_text(argument: str) -> bool:
    """Whether the only argument is a question and not the name of a dataset."""
    return " " in argument.strip()
