"""`bellwether trace`: one trace as a waterfall; its subcommands are in modules of their own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

import click

from bellwether.client import Target
from bellwether.options.shared import client_options

if TYPE_CHECKING:
    from fractions import Fraction

_USUAL = 500  # lines
# subcommands by name: the module in this package that has a command of that name
SUBCOMMANDS: Final[dict[str, str]] = {"compare": "trace_compare"}


class _TraceCommand(click.Command):
    """`trace ID` shows a trace; `trace NAME ...` is a subcommand where there is one."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        if args and args[0] in SUBCOMMANDS:
            module = importlib.import_module(f"bellwether.commands.ask.{SUBCOMMANDS[args[0]]}")
            command: click.Command = getattr(module, args[0])
            return command.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_TraceCommand)
@click.argument("trace_id", metavar="ID")
@click.option("-n", "--limit", type=click.IntRange(1), help=f"Lines, {_USUAL} unless given.")
@click.option("--all", "everything", is_flag=True, help="Every line, a page after the other.")
@click.option("--fields", multiple=True, metavar="A,B", help="Show these fields of each line too.")
@click.option("--links", is_flag=True, help="Follow links from this trace and to it.")
@click.option("--silent", metavar="DURATION", help="An unfinished span without a sign for longer "
              "counts as interrupted (10m).")  # fmt: skip
@click.option("--skew", metavar="DURATION", help="Mark a span in another process that lies further "
              "outside of its parent (10ms).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="The answer as one JSON document.")
@click.option("--after", default="", help="A receipt: wait until what it names is included.")
@client_options
def trace(
    target: Target,
    trace_id: str,
    limit: int | None,
    everything: bool,
    fields: tuple[str, ...],
    links: bool,
    silent: str | None,
    skew: str | None,
    as_json: bool,
    after: str,
) -> None:
    """Show the trace ID as a tree, from all datasets and all time.

    \b
        bellwether trace 4bf92f3577b34da6a3ce929d0e0e4736
        bellwether trace 4bf92f3577b34da6a3ce929d0e0e4736 --fields http.route,user.id

    ID in any case, padded with zeros or not, or a whole traceparent header. `!` stands before
    what failed, `?` before a span that has not finished or that only its children name.
    `bellwether trace compare --help` tells how two traces are compared.
    """
    from bellwether.answers.traces.show import ShowOptions, show_trace
    from bellwether.commands.ask.rows import named_fields

    if not trace_id.strip():
        raise click.UsageError("ID is empty")
    if everything and limit is not None:
        raise click.UsageError("--all shows every line: leave -n out")
    question = [("field", name) for name in named_fields(fields) or ()]
    if links:
        question.append(("links", "true"))
    if silent is not None:
        question.append(("silent_s", f"{float(_duration('--silent', silent)):.9f}"))
    if skew is not None:
        question.append(("skew_ms", f"{float(_duration('--skew', skew) * 1000):.6f}"))
    if after:
        question.append(("after", after))
    most = None if everything else limit or _USUAL
    show_trace(target, trace_id, question, ShowOptions(most, as_json))


def _duration(option: str, text: str) -> Fraction:
    """Seconds. Raises UsageError."""
    from query.text.durations import read_duration

    found = read_duration(text)
    if found is None or found.months:
        raise click.UsageError(f"{option} takes a duration like 10ms, 90s, 10m or 2h")
    return found.seconds
