"""`bellwether unnamed`: objects that no document names, listed, and removed when they are old."""

import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import orjson
from rich.table import Table

from bellwether.backends import make_locks, make_objects
from bellwether.config.sections import BackendsConfig, NodeConfig
from bellwether.config.settings import Settings
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console
from common import limits
from common.clock import Clock, SystemClock
from common.errors import BellwetherError
from common.process.members import list_readers
from common.process.versions import DOCUMENTS_PACKS
from snapshot.bootstrap.estimate import ReadOnlyStore
from snapshot.unnamed.names import Names
from snapshot.unnamed.objects import (
    Removed,
    UnnamedObjects,
    find_unnamed,
    remove_unnamed,
    store_now_ns,
)

_HOUR_NS = 3600 * 10**9


@click.command()
@click.option("--remove", is_flag=True, help="Remove those that are older than a day.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@configuration_options
def unnamed(
    remove: bool,
    yes: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """List objects that no document names; no answer reads them.

    They are left where a cut was put into the object store and not published: its process was
    killed, or the other indexer of the partition was faster. Younger ones may be about to be named.
    Without --remove nothing is changed. Also works while everything runs.
    """
    settings = load_settings(config, data, sets)
    folder = settings.section(NodeConfig).data
    if settings.section(BackendsConfig).embedded and not (folder / "log").is_dir():
        raise click.ClickException(f"{folder} is no data folder: name it with --data")
    clock = SystemClock()
    removed: Removed | None = None
    try:
        objects = make_objects(settings, clock)
        now_ns = store_now_ns(objects, clock)
        names = Names(ReadOnlyStore(objects))
        found = find_unnamed(objects, names, now_ns)
        if not as_json:
            _show(found)
        if remove and found.old:
            _refuse_wrong_clock(now_ns, clock)
            _refuse_older_publishers(settings, clock)
            if not yes and not click.confirm(f"Remove {len(found.old):,} objects?", err=True):
                sys.exit(1)
            with tempfile.TemporaryDirectory(prefix="bellwether-unnamed-") as scratch:
                removed = remove_unnamed(objects, names, found.old, Path(scratch))
    except (BellwetherError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(orjson.dumps(_document(found, removed), option=orjson.OPT_INDENT_2).decode())
    elif remove:
        _show_removed(removed or Removed())


def _refuse_older_publishers(settings: Settings, clock: Clock) -> None:
    """Older indexers do not look again for what they are about to name (ADR 0042)."""
    locks = make_locks(settings, clock)
    try:
        members = list_readers(locks)  # one that holds a claim may not be announced for a moment
    finally:
        locks.close()
    for member in members:
        if member.role == "indexer" and member.understands.documents < DOCUMENTS_PACKS:
            raise click.ClickException(
                f"{member.instance} runs an older version, which may be about to name one of "
                "these objects: upgrade it before"
            )


def _refuse_wrong_clock(now_ns: int, clock: Clock) -> None:
    """An object is old by the store's clock: if that is not this machine's time, one is wrong."""
    apart_ns = abs(now_ns - clock.now_ns())
    if apart_ns > limits.CLOCK_SKEW_NS:
        raise click.ClickException(
            f"the object store's clock and this machine's are {apart_ns / 1e9:,.0f} s apart, so it "
            "is not known what is old: set the wrong one right"
        )


def _document(found: UnnamedObjects, removed: Removed | None) -> dict[str, Any]:
    return {
        "objects": [
            {
                "key": one.key,
                "size_bytes": one.size_bytes,
                "age_s": one.age_ns / 1e9,
                "removable": one.is_old,
            }
            for one in found.objects
        ],
        "total": {"objects": found.count, "size_bytes": found.size_bytes},
        "unreadable": found.unreadable,
        "removed": None
        if removed is None
        else {
            "objects": removed.objects,
            "size_bytes": removed.size_bytes,
            "named": removed.named,
        },
    }


def _show(found: UnnamedObjects) -> None:
    for text in found.unreadable:
        click.echo(f"warning: {text}: this list may be wrong, nothing is removed", err=True)
    if not found.count:
        click.echo("every object is named by a document")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("object", "bytes", "age", ""):
        table.add_column(column, overflow="fold")
    for one in found.objects:
        note = "" if one.is_old else "may be about to be named"
        table.add_row(one.key, f"{one.size_bytes:,}", age(one.age_ns), note)
    output_console().print(table)
    old = found.old
    click.echo(
        f"{found.count:,} objects ({found.size_bytes / 1e6:,.1f} MB), {len(old):,} of them older "
        f"than a day" + (": `bellwether unnamed --remove` removes those" if old else "")
    )


def _show_removed(removed: Removed) -> None:
    click.echo(f"removed: {removed.objects:,} objects ({removed.size_bytes / 1e6:,.1f} MB)")
    for key in removed.named:
        click.echo(f"{key} stays: a document names it by now")


def age(ns: int) -> str:
    """An age for people."""
    hours = ns / _HOUR_NS
    if hours >= 48:
        return f"{hours / 24:,.0f} d"
    return f"{hours:,.1f} h"
