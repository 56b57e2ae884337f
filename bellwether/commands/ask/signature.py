"""`bellwether signature`: the signature of a stack in a file."""

from typing import TextIO

import click
import orjson

from common.signature.signature import VERSION
from common.signature.signature import signature as signature_of


@click.command()
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"), default="-")
@click.option("--type", "kind", default="", help="The exception's type, if the stack has none.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the version of the rule.")
@click.pass_context
def signature(context: click.Context, file: TextIO, kind: str, as_json: bool) -> None:
    """Print the signature of the stack in FILE (or of standard input).

    It is what events with a field exception.stacktrace get as exception.signature when they
    arrive: equal for one fault on all builds. Exit code 1: the file has no text.
    """
    found = signature_of(file.read(), kind)
    if as_json:
        click.echo(orjson.dumps({"signature": found, "version": VERSION}).decode())
    elif found:
        click.echo(found)
    if not found:
        context.exit(1)
