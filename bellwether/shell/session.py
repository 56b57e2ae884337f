"""What the shell does with a statement: it asks, prints, and remembers what was chosen."""

from __future__ import annotations

import difflib
import fnmatch
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import click
import orjson

from bellwether.client import ClientError
from bellwether.client.caller import Caller
from bellwether.client.questions import ask_query, ask_rows
from bellwether.output import output_console, printable
from bellwether.results_view import coverage_line, print_result
from bellwether.shell.completion import COMMANDS
from bellwether.shell.statements import Statement
from common.clock import Clock
from query.text.errors import QueryTextError
from query.text.parser import parse_query

FORMATS = ("table", "json")
_BARE_WORDS = {"exit": "\\q", "quit": "\\q", "help": "\\help"}  # as people type them elsewhere
_NEAR = 3


class Ended(Exception):
    """The user wants to leave."""


class _Misused(Exception):
    """A statement that cannot be carried out; the text says why."""


class Shell:
    """One session."""

    def __init__(self, caller: Caller, clock: Clock) -> None:
        self._caller = caller
        self._clock = clock
        self.dataset = ""
        self.timing = False
        self.format = "table"

    def use(self, dataset: str) -> bool:
        """Ask this dataset from now on; whether there is one of the name (else it is told)."""
        return self.execute(Statement(f"\\use {dataset}", 1))

    def execute(self, statement: Statement) -> bool:
        """Carry out one statement; whether it went well. What went wrong is printed. Raises Ended,
        and KeyboardInterrupt on Ctrl-C: the server has been told to stop then.
        """
        begin_ns = self._clock.now_ns()
        try:
            self._carry_out(statement)
        except (QueryTextError, ClientError, _Misused) as error:
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
            "explain": self._explain, "help": _show_help, "?": _show_help, "h": _show_help,
        }.get(word)  # fmt: skip
        if action is None:
            near = difflib.get_close_matches(word, COMMANDS, n=1)
            hint = f"did you mean \\{near[0]}?" if near else "\\help lists the commands"
            raise _Misused(f"there is no command \\{printable(word)}: {hint}")
        action(rest)

    def _ask(self, text: str) -> None:
        question = parse_query(text, self._clock.now_ns())
        dataset = question.dataset or self.dataset
        if not dataset:
            raise _Misused("which dataset? \\use DATASET chooses one (\\datasets lists them)")
        if question.spec.get("rows"):
            self._print_rows(ask_rows(self._caller, dataset, question.spec))
            return
        document = ask_query(self._caller, dataset, question.spec)
        if self.format == "json":
            click.echo(orjson.dumps(document).decode())
        else:
            print_result(document, list(question.spec.get("breakdowns") or []))

    def _print_rows(self, page: dict[str, Any]) -> None:
        if self.format == "json":
            click.echo(orjson.dumps(page).decode())
            return
        from rich.text import Text

        console = output_console()
        for row in page["rows"]:
            line = Text().append(printable(str(row["time"])), style="dim")
            for name, value in row["data"].items():
                shown = value if isinstance(value, str) else orjson.dumps(value).decode()
                line.append(f" {printable(name)}=", style="cyan")
                line.append(printable(shown), style="default")
            console.print(line, soft_wrap=True)
        if not page["rows"]:
            console.print(Text("no events match", style="yellow"))
        elif page.get("next"):
            console.print(
                Text(f"the newest {len(page['rows'])}; LIMIT 200 shows more", style="dim")
            )
        console.print(coverage_line(page.get("coverage") or {}))

    def _explain(self, text: str) -> None:
        question = parse_query(text, self._clock.now_ns())
        click.echo(orjson.dumps(question.spec, option=orjson.OPT_INDENT_2).decode())

    def _use(self, name: str) -> None:
        if not name:
            raise _Misused("which one? \\use DATASET")
        found = self._caller.json("GET", "/1/datasets")
        for one in found:
            if name in (one["slug"], one["name"]):
                self.dataset = str(one["slug"])
                return
        near = difflib.get_close_matches(name.lower(), [one["slug"] for one in found], n=_NEAR)
        hint = f"did you mean {', '.join(near)}?" if near else "\\datasets lists them"
        raise _Misused(f"there is no dataset {printable(name)!r}: {hint}")

    def _show_datasets(self, pattern: str) -> None:
        found = self._caller.json("GET", "/1/datasets")
        rows = [(one["slug"], one["name"], str(one.get("last_written_at") or "")) for one in found]
        self._table(("dataset", "name", "last written"), rows, pattern)

    def _show_fields(self, pattern: str) -> None:
        if not self.dataset:
            raise _Misused("of which dataset? \\use DATASET chooses one")
        found = self._caller.json("GET", f"/1/columns/{quote(self.dataset, safe='')}")
        rows = [
            (str(one["key_name"]), str(one["type"]), str(one.get("last_written") or ""))
            for one in found
        ]
        self._table(("field", "type", "last written"), rows, pattern)

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
            raise _Misused(f"there is no format {printable(name)!r}: {', '.join(FORMATS)}")
        self.format = name or self.format
        if not name:
            click.echo(f"format {self.format}; known: {', '.join(FORMATS)}")

    def _choose_timing(self, wanted: str) -> None:
        if wanted not in ("", "on", "off"):
            raise _Misused("\\timing on, or \\timing off")
        self.timing = wanted == "on" if wanted else not self.timing
        click.echo(f"timing is {'on' if self.timing else 'off'}", err=True)


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))


def _show_help(_: str) -> None:
    click.echo("a question, for instance:  COUNT, P99(duration_ms) GROUP BY service LAST 1h")
    click.echo("the events themselves:     SELECT * WHERE status >= 500 LAST 1h LIMIT 20")
    for name, text in COMMANDS.items():
        click.echo(f"  \\{name:10} {text}")
    click.echo("Tab completes; Ctrl-C ends a question here and on the server; several lines: a")
    click.echo("question goes on where it cannot end yet, or with Alt-Enter")
