"""Executes the shell's statements: queries and commands. Holds what the user has chosen."""

from __future__ import annotations

import difflib
import fnmatch
import sys
from collections.abc import Sequence
from datetime import UTC, tzinfo

import click
import orjson

from bellwether.answers.results.formats import FORMATS
from bellwether.answers.results.print_answer import print_answer
from bellwether.answers.rows.fields_table import print_fields
from bellwether.client import ClientError, Target
from bellwether.client.caller import Caller
from bellwether.client.run_query import run_query
from bellwether.commands.ask.rows import show_selected
from bellwether.commands.operate.zones import chosen_zone
from bellwether.output import output_console, printable
from bellwether.shell.completion import COMMANDS
from bellwether.shell.statements import Statement
from common.clock import Clock
from query.text.parser import parse_query
from query.tokens.errors import QueryTextError

_BARE_WORDS = {"exit": "\\q", "quit": "\\q", "help": "\\help"}  # as people type them elsewhere
_NEAR = 3
_FIELDS_MAX = 200  # the server's most with shares and values


class Ended(Exception):
    """The user wants to leave."""


class _StatementError(Exception):
    """A statement that cannot be carried out. The message states the cause."""


class Shell:
    """One session."""

    def __init__(self, target: Target, caller: Caller, clock: Clock, zone: tzinfo = UTC) -> None:
        self._target = target
        self._caller = caller
        self._clock = clock
        self.dataset = ""
        self.timing = False
        self.series = False
        self.format = "table"
        self.zone = zone

    def use(self, dataset: str) -> bool:
        """Query this dataset from now on. Prints an error and returns False if there is none."""
        return self.execute(Statement(f"\\use {dataset}", 1))

    def execute(self, statement: Statement) -> bool:
        """Carry out one statement; whether it went well. What went wrong is printed. Raises Ended,
        and KeyboardInterrupt on Ctrl-C: the query has been ended on the server then.
        """
        begin_ns = self._clock.now_ns()
        try:
            self._carry_out(statement)
        except (QueryTextError, ClientError, _StatementError, click.ClickException) as error:
            # printed line by line: a mark stands under its word
            click.echo(f"Error: {_lines(str(error))}", err=True)
            return False
        finally:
            sys.stdout.flush()
        if self.timing and not statement.is_command:
            click.echo(f"took {(self._clock.now_ns() - begin_ns) / 1e6:,.0f} ms", err=True)
        return True

    def _carry_out(self, statement: Statement) -> None:
        text = _BARE_WORDS.get(statement.text.lower().rstrip(";"), statement.text)
        if not text.startswith("\\"):
            self._ask(text)
            return
        word, _, rest = text[1:].partition(" ")
        word, rest = word.rstrip(";").lower(), rest.strip().rstrip(";").strip()
        if word in ("q", "quit", "exit"):
            raise Ended
        action = {
            "use": self._use, "u": self._use, "c": self._use,
            "datasets": self._show_datasets, "l": self._show_datasets,
            "fields": self._show_fields, "d": self._show_fields,
            "format": self._choose_format, "timing": self._choose_timing,
            "series": self._choose_series, "zone": self._choose_zone,
            "explain": self._explain, "help": _show_help, "?": _show_help, "h": _show_help,
        }.get(word)  # fmt: skip
        if action is None:
            near = difflib.get_close_matches(word, COMMANDS, n=1)
            hint = f"did you mean \\{near[0]}?" if near else "\\help lists the commands"
            raise _StatementError(f"there is no command \\{printable(word)}: {hint}")
        action(rest)

    def _ask(self, text: str) -> None:
        question = parse_query(text, self._clock.now_ns(), self.zone)
        dataset = question.dataset or self.dataset
        if not dataset:
            raise _StatementError(
                "which dataset? \\use DATASET chooses one (\\datasets lists them)"
            )
        if question.spec.get("rows"):
            show_selected(self._target, dataset, question.spec, self.format, "")
            return
        document = run_query(self._caller, dataset, question.spec, series=self.series)
        breakdowns = list(question.spec.get("breakdowns") or [])
        print_answer(document, breakdowns, self.format, series=self.series, zone=self.zone)

    def _explain(self, text: str) -> None:
        question = parse_query(text, self._clock.now_ns(), self.zone)
        click.echo(orjson.dumps(question.spec, option=orjson.OPT_INDENT_2).decode())

    def _use(self, name: str) -> None:
        if not name:
            raise _StatementError("which one? \\use DATASET")
        found = self._caller.json("GET", "/1/datasets")
        for one in found:
            if name in (one["slug"], one["name"]):
                self.dataset = str(one["slug"])
                return
        near = difflib.get_close_matches(name.lower(), [one["slug"] for one in found], n=_NEAR)
        hint = f"did you mean {', '.join(near)}?" if near else "\\datasets lists them"
        raise _StatementError(f"there is no dataset {printable(name)!r}: {hint}")

    def _show_datasets(self, pattern: str) -> None:
        found = self._caller.json("GET", "/1/datasets")
        rows = [(one["slug"], one["name"], str(one.get("last_written_at") or "")) for one in found]
        self._table(("dataset", "name", "last written"), rows, pattern)

    def _show_fields(self, pattern: str) -> None:
        if not self.dataset:
            raise _StatementError("of which dataset? \\use DATASET chooses one")
        body = {"dataset": self.dataset, "match": pattern, "limit": _FIELDS_MAX}
        answer = self._caller.json("POST", "/bw/1/fields", body)
        if self.format == "json":
            click.echo(orjson.dumps(answer).decode())
            return
        if not answer["fields"]:
            click.echo("no field of that name", err=True)
            return
        print_fields(answer["fields"])
        if answer["next"] is not None:
            click.echo(f"the first {_FIELDS_MAX}; \\fields PATTERN finds others", err=True)

    def _table(self, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], pattern: str) -> None:
        """Rows whose first value holds the pattern (`*` and `?` stand for any characters)."""
        wanted = pattern.lower() if set(pattern) & set("*?[") else f"*{pattern.lower()}*"
        rows = [row for row in sorted(rows) if fnmatch.fnmatchcase(row[0].lower(), wanted)]
        if self.format == "json":
            click.echo(orjson.dumps([dict(zip(heads, row, strict=True)) for row in rows]).decode())
            return
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in heads:
            table.add_column(head, overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(str(value))) for value in row))
        output_console().print(table if rows else Text("nothing of that name", style="yellow"))

    def _choose_format(self, name: str) -> None:
        if name and name not in FORMATS:
            raise _StatementError(f"there is no format {printable(name)!r}: {', '.join(FORMATS)}")
        self.format = name or self.format
        if not name:
            click.echo(f"format {self.format}; known: {', '.join(FORMATS)}")

    def _choose_timing(self, wanted: str) -> None:
        self.timing = _on(wanted, self.timing, "timing")

    def _choose_series(self, wanted: str) -> None:
        self.series = _on(wanted, self.series, "series")

    def _choose_zone(self, name: str) -> None:
        if name:
            self.zone = chosen_zone(name, {})
        click.echo(f"times without a zone are of {self.zone}", err=True)


def _on(wanted: str, now: bool, what: str) -> bool:
    """A switch: set to `wanted`, toggled if that is empty."""
    if wanted not in ("", "on", "off"):
        raise _StatementError(f"\\{what} on, or \\{what} off")
    chosen = wanted == "on" if wanted else not now
    click.echo(f"{what} is {'on' if chosen else 'off'}", err=True)
    return chosen


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _show_help(_: str) -> None:
    click.echo("a question, for instance:  COUNT, P99(duration_ms) GROUP BY service LAST 1h")
    click.echo("the events themselves:     SELECT * WHERE status >= 500 LAST 1h LIMIT 20")
    for name, text in COMMANDS.items():
        click.echo(f"  \\{name:10} {text}")
    click.echo("Tab completes; Ctrl-C ends a question here and on the server; several lines: a")
    click.echo("question goes on where it cannot end yet, or with Alt-Enter")
