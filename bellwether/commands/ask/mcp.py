"""`bellwether mcp`: agents ask Bellwether over the Model Context Protocol."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import Final

import click

from bellwether.client import ClientError, Target
from bellwether.options.shared import client_options
from common.error_text import describe_error

_PORT: Final = 8088


@click.command()
@click.option("--http", "over_http", is_flag=True, help="Listen on HTTP instead of stdin.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address for --http.")
@click.option("--port", type=click.IntRange(0, 65_535), default=_PORT, show_default=True,
              help="Port for --http (0: any free one).")  # fmt: skip
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME",
              help="A name by which clients or a proxy call it; may be repeated.")  # fmt: skip
@click.option("--require-key", is_flag=True, help="With --http: every client sends its own key.")
@client_options
def mcp(
    target: Target,
    over_http: bool,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    require_key: bool,
) -> None:
    """Answer agents over the Model Context Protocol: on stdin, or with --http on an address.

    \b
        bellwether mcp
        bellwether mcp --http --port 8088

    Tools to find datasets and fields, run queries, and look at events and traces. They only read.
    With --http a client sends its key in the header X-Honeycomb-Team or as Authorization: Bearer;
    one that sends none on loopback asks with the key of this command. On another address every
    client needs its own.
    """
    from assistant.api import Api
    from assistant.server import build

    if not over_http:
        if hosts or require_key:
            raise click.UsageError("--allow-host and --require-key are for --http")

        async def answer() -> None:
            async with Api(target.url, target.key, insecure=target.insecure) as api:
                await build(api).run_stdio_async()

        asyncio.run(answer())
        return
    from assistant.http import PATH, listening, serve

    shared = _is_loopback(host) and not require_key
    try:
        bound = listening(host, port)
    except OSError as error:
        raise ClientError(f"cannot listen on {host}:{port}: {describe_error(error)}") from error
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"http://{shown}:{bound.getsockname()[1]}{PATH} asks {target.url}")
    if shared:
        click.echo("clients without a key ask with the key of this command")

    async def answer_http() -> None:
        key = target.key if shared else None
        async with Api(target.url, key, insecure=target.insecure) as api:
            await serve(build(api), bound, [shown, *hosts])

    asyncio.run(answer_http())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
