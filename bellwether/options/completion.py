"""What a shell offers after Tab: names of servers and datasets. It never fails and never waits."""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem

from bellwether.client import ClientError, find_target
from bellwether.options.data_folder import data_default

_ANSWER_S = 2.0
_OFFERED_MAX = 500


def complete_server(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The servers that `login` keeps."""
    from bellwether.client.servers import read_servers

    try:
        known = read_servers(os.environ).by_name
    except ClientError:
        return []
    return [
        CompletionItem(name, help=one.url)
        for name, one in sorted(known.items())
        if name.startswith(incomplete)
    ]


def complete_dataset(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The datasets of the server that the words before name."""
    from bellwether.client.caller import calling

    given = context.params
    try:
        target = find_target(
            given.get("url"), given.get("key"), given.get("data") or data_default(), os.environ,
            bool(given.get("insecure")), given.get("server"),
        )  # fmt: skip
        with calling(target, _ANSWER_S) as caller:
            found = caller.json("GET", "/1/datasets")
        slugs = sorted(str(one["slug"]) for one in found)
    except (ClientError, OSError, KeyError, TypeError):
        return []  # Tab prints no error into the middle of a line
    return [CompletionItem(slug) for slug in slugs if slug.startswith(incomplete)][:_OFFERED_MAX]
