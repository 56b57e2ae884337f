"""Questions as tables: every one, the slowest, or sums by key."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click
import orjson

from bellwether.answers.rows.cells import cut, padded, width
from bellwether.answers.rows.table import short_time
from bellwether.output import printable

_GAP: Final = "  "
_NAME_MAX: Final = 24  # of a key and of a dataset
_PIPE: Final = 100_000  # in a pipe nothing is cut
_ASKED_MIN: Final = 20
_NUMBERS: Final = frozenset(
    {"took", "rows", "read", "slowest", "usual", "waited", "times", "in all"}
)
_UNITS: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def print_questions(view: str, found: Sequence[dict[str, Any]]) -> None:
    """A table of a page of `GET /bw/1/queries`."""
    shape = {"newest": _newest, "slow": _slow, "keys": _by_key}[view]
    header, *rows = shape(found)
    terminal = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PIPE
    widths = [max(width(row[at]) for row in (header, *rows)) for at in range(len(header))]
    room = terminal - sum(widths[:-1]) - len(_GAP) * (len(widths) - 1)
    widths[-1] = min(widths[-1], max(room, _ASKED_MIN))
    for row in (header, *rows):
        cells = [
            padded(cut(text, most), most, right=name in _NUMBERS)
            for name, text, most in zip(header, row, widths, strict=True)
        ]
        click.echo(_GAP.join(cells).rstrip())


def asked_text(question: dict[str, Any]) -> str:
    """What was asked, as a text where there is one."""
    from query.text.written import written

    asked = str(question.get("asked") or "")
    if not asked.startswith("{"):
        return printable(asked)
    try:
        text = written(orjson.loads(asked)) if question.get("kind") == "query" else None
    except orjson.JSONDecodeError:  # too long: its end is not kept
        text = None
    return printable(text or asked)


def _newest(found: Iterable[dict[str, Any]]) -> Iterable[list[str]]:
    yield ["time", "took", "rows", "read", "status", "key", "kind", "dataset", "asked"]
    for one in found:
        failed = f" {one['error']}" if one.get("error") else ""
        yield [
            short_time(one["time"]), _took(one.get("duration_ms")), _count(one.get("rows_read")),
            _bytes(one.get("bytes_read")), _status(one), _name(one.get("key_name")),
            str(one.get("kind") or ""), _name(one.get("dataset")), asked_text(one) + failed,
        ]  # fmt: skip


def _slow(found: Iterable[dict[str, Any]]) -> Iterable[list[str]]:
    yield ["slowest", "usual", "waited", "times", "rows", "read", "kind", "dataset", "asked"]
    for one in found:
        yield [
            _took(one["slowest_ms"]), _took(one["usual_ms"]), _took(one["queued_ms"]),
            _count(one["times"]), _count(one["rows_read"]), _bytes(one["bytes_read"]),
            str(one.get("kind") or ""), _name(one.get("dataset")), asked_text(one),
        ]  # fmt: skip


def _by_key(found: Iterable[dict[str, Any]]) -> Iterable[list[str]]:
    yield ["in all", "times", "usual", "slowest", "rows", "read", "id", "key"]
    for one in found:
        yield [
            _took(one["time_ms"]), _count(one["times"]), _took(one["usual_ms"]),
            _took(one["slowest_ms"]), _count(one["rows_read"]), _bytes(one["bytes_read"]),
            str(one.get("key_id") or ""), _name(one.get("key_name")),
        ]  # fmt: skip


def _status(one: dict[str, Any]) -> str:
    status = one.get("status")
    if status == 200:
        return "in part" if one.get("complete") is False else "ok"
    return "left" if status == 499 else str(status)


def _took(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "-"
    return f"{milliseconds:,.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"


def _bytes(number: float | None) -> str:
    if number is None:
        return "-"
    for unit, name in _UNITS:
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number:.0f} B"


def _name(text: object) -> str:
    return cut(printable(str(text or "")), _NAME_MAX)
