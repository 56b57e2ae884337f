"""`bellwether query`: asks a question; without arguments it is the query role."""

from pathlib import Path
from typing import Any

import click
import orjson

from bellwether.commands.completion import complete_dataset
from bellwether.commands.options import chosen_target, configuration_options, server_options
from bellwether.commands.roles import PARENT_FD, run
from bellwether.commands.rows import show_selected
from common.clock import SystemClock
from query.text.errors import QueryTextError


@click.command()
@click.argument("dataset", required=False, shell_complete=complete_dataset)
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="The answer as it comes.")
@click.option("--explain", is_flag=True, help="Print the query specification, ask nothing.")
@click.option("--after", default="", help="A receipt: wait until what it names is included.")
@server_options
@PARENT_FD
@configuration_options
def query(
    dataset: str | None,
    text: str | None,
    as_json: bool,
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

    Without arguments it runs the query role (`bellwether up` does it for you).
    """
    if dataset is None:
        run(("query",), parent_fd, config, data, sets)
        return
    if text is None:
        raise click.UsageError("say what to ask, for instance: 'COUNT GROUP BY service'")
    spec = _read(text)
    if explain:
        click.echo(orjson.dumps(spec, option=orjson.OPT_INDENT_2).decode())
        return
    target = chosen_target(url, key, server, data, insecure)
    if spec.get("rows"):
        show_selected(target, dataset, spec, as_json, after)
        return
    from bellwether.client.caller import calling
    from bellwether.client.questions import ask_query

    with calling(target) as caller:
        document = ask_query(caller, dataset, spec, after)
    if as_json:
        click.echo(orjson.dumps(document).decode())
    else:
        from bellwether.results_view import print_result  # slow to import

        print_result(document, list(spec.get("breakdowns") or []))


def _read(text: str) -> dict[str, Any]:
    from query.text.parser import parse_text  # not for help, and not for the role

    try:
        return parse_text(text, SystemClock().now_ns() // 10**9)
    except QueryTextError as error:
        raise click.ClickException(str(error)) from error
