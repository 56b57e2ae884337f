"""`bellwether login`, `logout` and `servers`: named servers, whose keys are typed once."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click
import orjson

from bellwether.client import ClientError, Target
from bellwether.client.servers import (
    NAME,
    Server,
    forget_server,
    keep_server,
    read_servers,
    servers_file,
    set_default,
)
from bellwether.client.target import usable_key, usable_url
from bellwether.options.completion import complete_server
from bellwether.output import output_console, printable

_CHECK_S = 20.0
_KEY_BYTES_MAX = 4_096
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.argument("name")
@click.argument("url")
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--insecure", is_flag=True, help="Accept any TLS certificate of this server.")
@click.option(
    "--default/--no-default", "as_default", default=None,
    help="Ask this server where nothing else says whom to ask (the first one is the default).",
)  # fmt: skip
def login(name: str, url: str, key_stdin: bool, insecure: bool, as_default: bool | None) -> None:
    """Keep the server URL and its key under NAME, for `--server NAME`.

    \b
        bellwether login prod https://bellwether.example.com
        bellwether query --server prod web 'COUNT LAST 1h'

    The key is asked for and not shown, checked with the server, and kept in a file that only you
    can read.
    """
    if not NAME.fullmatch(name):
        raise click.UsageError("a server's name is a word of A-Z, a-z, 0-9, '.', '_' and '-'")
    url = usable_url(url)
    if url.startswith("http:") and urlsplit(url).hostname not in _LOOPBACK:
        click.echo("warning: http:// sends keys and events in clear text", err=True)
    server = Server(name, url, _read_key(key_stdin, name), insecure)
    key_info = _read_key_info(server)
    server = replace(
        server, team=key_info["team"]["name"], environment=key_info["environment"]["name"]
    )
    is_default = keep_server(os.environ, server, as_default=as_default)
    click.echo(
        f"{name}: {printable(url)}, environment {printable(server.environment)} of team "
        f"{printable(server.team)}"
    )
    click.echo(f"this key may: {_rights(key_info)}")
    click.echo(
        f"kept in {servers_file(os.environ)}"
        + ("; asked where nothing else says whom to ask" if is_default else "")
    )


def _read_key(from_stdin: bool, name: str) -> str:
    if from_stdin:
        text = sys.stdin.buffer.read(_KEY_BYTES_MAX).decode("utf-8", "replace").strip()
    elif sys.stdin is not None and sys.stdin.isatty():
        text = str(click.prompt(f"key for {name}", hide_input=True, err=True)).strip()
    else:
        raise click.UsageError("there is no terminal to ask for the key: give it by --key-stdin")
    if not text:
        raise click.UsageError("the key is empty")
    return usable_key(text)


def _read_key_info(server: Server) -> dict[str, Any]:
    """The server's description of the key. Raises ClientError."""
    from bellwether.client.caller import calling

    with calling(Target(server.url, server.key, server.insecure), _CHECK_S) as caller:
        try:
            key_info = caller.json("GET", "/1/auth")
        except ClientError as error:
            if error.status == 401:
                raise ClientError(f"{server.url} does not know this key; nothing is kept") from None
            if error.status == 404:
                raise ClientError(f"{server.url} is no Bellwether: /1/auth is 404") from None
            raise
    try:
        return {
            "team": {"name": str(key_info["team"]["name"])},
            "environment": {"name": str(key_info["environment"]["name"])},
            "access": {
                str(name) for name, may in key_info["api_key_access"].items() if may is True
            },
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ClientError(f"{server.url} is no Bellwether: it told nothing of the key") from error


def _rights(key_info: dict[str, Any]) -> str:
    words = {"events": "send events", "queries": "ask", "columns": "manage columns",
             "create_datasets": "create datasets"}  # fmt: skip
    found = [text for name, text in words.items() if name in key_info["access"]]
    return ", ".join(found) or "send events"  # an ingest key lists only its other rights


@click.command()
@click.argument("name", shell_complete=complete_server)
def logout(name: str) -> None:
    """Forget the server NAME and its key."""
    server = forget_server(os.environ, name)
    click.echo(f"{name} is forgotten; its key stays valid until `bellwether keys revoke`")
    left = read_servers(os.environ)
    if left.by_name and not left.default and server:
        click.echo("none is the default one now: `bellwether servers NAME` makes one", err=True)


@click.command()
@click.argument("default", metavar="[NAME]", required=False, shell_complete=complete_server)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def servers(default: str | None, as_json: bool) -> None:
    """List the servers that `login` keeps, without their keys; with NAME make it the default."""
    if default is not None:
        set_default(os.environ, default)
    found = read_servers(os.environ)
    if found.warning:
        click.echo(f"warning: {found.warning}", err=True)
    rows = [
        {"name": one.name, "url": one.url, "team": one.team, "environment": one.environment,
         "insecure": one.insecure, "default": one.name == found.default}
        for _, one in sorted(found.by_name.items())
    ]  # fmt: skip
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    if not rows:
        click.echo("no server is kept: `bellwether login NAME URL` keeps one", err=True)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "name", "address", "team", "environment", "certificate"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            "*" if row["default"] else "",
            *(Text(printable(str(row[name]))) for name in ("name", "url", "team", "environment")),
            "any" if row["insecure"] else "checked",
        )
    output_console().print(table)
