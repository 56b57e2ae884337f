"""`bellwether queries`: what was asked, by whom, and what it took."""

from __future__ import annotations

from urllib.parse import urlencode

import click
import orjson

from bellwether.client import Target
from bellwether.commands.ask.fields import read_range
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import client_options

_USUAL = 20


@click.command()
@click.option("--slow", is_flag=True, help="The questions that took longest, each once.")
@click.option("--by-key", is_flag=True, help="Sums by key.")
@click.option("--failed", is_flag=True, help="Only those that have no answer.")
@click.option("--dataset", shell_complete=complete_dataset, help="Only questions to it.")
@click.option("--by", "asker", metavar="KEY", help="Only questions with the key of this name.")
@click.option("--last", metavar="DURATION", default="1d", show_default=True, help="As in 24h.")
@click.option("-n", "--limit", type=click.IntRange(1, 1_000), default=_USUAL, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@client_options
def queries(
    target: Target,
    slow: bool,
    by_key: bool,
    failed: bool,
    dataset: str | None,
    asker: str | None,
    last: str,
    limit: int,
    as_json: bool,
) -> None:
    """Show what was asked in the environment of the key, the newest first.

    \b
        bellwether queries --slow --last 7d
        bellwether queries --by-key
        bellwether queries --failed --dataset web

    Each question is an event `name = "query"` in the dataset `bellwether`, some seconds after its
    answer, so `bellwether query bellwether '...'` asks anything else about them.
    """
    from bellwether.answers.history.show import print_questions
    from bellwether.client.caller import calling

    if slow and by_key:
        raise click.UsageError("--slow and --by-key are two views: choose one")
    view = "slow" if slow else "keys" if by_key else "newest"
    given = {"view": view, "limit": str(limit), "last_s": str(read_range(last)["time_range"])}
    given |= {"failed": "true"} if failed else {}
    given |= {"dataset": dataset} if dataset else {}
    given |= {"key": asker} if asker else {}
    with calling(target) as caller:
        answer = caller.json("GET", f"/bw/1/queries?{urlencode(given)}")
    if as_json:
        for one in answer["queries"]:
            click.echo(orjson.dumps(one).decode())
    elif answer["queries"]:
        print_questions(view, answer["queries"])
    else:
        click.echo("nothing was asked in that time, or the roles send no telemetry", err=True)
    if not answer["coverage"]["complete"]:
        click.echo("INCOMPLETE: not every partition has answered", err=True)
