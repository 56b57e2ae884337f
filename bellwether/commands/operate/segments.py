"""`bellwether segments`: which objects hold a dataset now, their summaries, and their rows as
plain Parquet files.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from rich.table import Table

from bellwether.backends import make_log, make_objects, object_address, open_metadata
from bellwether.config.sections import BackendsConfig, NodeConfig
from bellwether.config.settings import Settings
from bellwether.options.named_dataset import dataset_names, named_dataset
from bellwether.options.shared import configuration_options, load_settings
from bellwether.output import output_console
from common.clock import SystemClock
from common.errors import BellwetherError, ObjectMissing
from common.objects import ObjectStore
from ops.segment_summaries import SummaryFound, SummaryState, find_summaries, in_short
from ops.segments import DatasetSegments, HeldSegment, extract, file_name, list_segments
from segment.summary.summary import Value

_RANGES_SHOWN = 3  # of the hidden offsets of one segment, in a table; --json has all


@dataclass(frozen=True, slots=True)
class _Found:
    """The segments of the dataset that was named, and where they lie.

    summaries: that of each segment, in their order; None: they were not asked for.
    """

    settings: Settings
    objects: ObjectStore
    dataset: str
    listed: DatasetSegments
    summaries: tuple[SummaryFound, ...] | None = None


@click.command()
@click.argument("dataset")
@click.option("--paths", is_flag=True, help="Each object, with its address and byte range.")
@click.option(
    "--summaries", is_flag=True, help="Which have a summary of their columns, and what it says."
)
@click.option(
    "--extract",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write the shown rows as plain Parquet files into this empty folder.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs; has every object.")
@configuration_options
def segments(
    dataset: str,
    paths: bool,
    summaries: bool,
    folder: Path | None,
    as_json: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Show which objects hold DATASET now.

    \b
        bellwether segments web --paths
        bellwether segments web --summaries
        bellwether segments web --extract web-files
        duckdb -c "SELECT count(*) FROM 'web-files/*.parquet'"

    A folder of the object store holds more: what has expired or was replaced, so its files must not
    be read all together. Rows that are only in the log so far are in none of these objects:
    `bellwether cut` publishes them. Changes nothing; also works while nothing runs.
    """
    if paths and summaries:
        raise click.UsageError("--paths and --summaries are two tables; --json --summaries has all")
    settings = load_settings(config, data, sets)
    place = settings.section(NodeConfig).data
    if settings.section(BackendsConfig).embedded and not (place / "log").is_dir():
        raise click.ClickException(f"{place} is no data folder: name it with --data")
    try:
        if folder is not None:
            _refuse_used(folder)
        found = asyncio.run(_find(settings, dataset, summaries))
        if folder is not None:
            _extract(found, folder)
    except ObjectMissing as error:
        raise click.ClickException(
            f"{error}: it was replaced or has expired meanwhile; run it again"
        ) from error
    except (BellwetherError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(orjson.dumps(_document(found, folder), option=orjson.OPT_INDENT_2).decode())
    else:
        output_console().print(_chosen_table(found, paths))
    _print_notes(found, folder)


async def _find(settings: Settings, name: str, summaries: bool) -> _Found:
    clock = SystemClock()
    with contextlib.closing(open_metadata(settings)) as metadata:
        dataset = named_dataset(metadata, dataset_names(metadata), name)
    objects = await asyncio.to_thread(make_objects, settings, clock)
    log = make_log(settings, clock, read_only=True)
    try:
        partitions = range((await log.open()).partitions)
        listed = await list_segments(objects, log, partitions, dataset)
    finally:
        await log.close()
    found = _Found(settings, objects, dataset, listed)
    if not summaries:
        return found
    return replace(found, summaries=tuple(await find_summaries(objects, listed.segments)))


def _refuse_used(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(
            f"{folder} is not empty: rows would be counted twice; name another folder"
        )


def _extract(found: _Found, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for held in found.listed.segments:
        extract(found.objects, held, folder)


def _document(found: _Found, folder: Path | None) -> dict[str, Any]:
    described = [_described(found.settings, held, folder) for held in found.listed.segments]
    for one, summary in zip(described, found.summaries or (), strict=False):
        one["summary"] = _summary_document(summary)
    return {
        "dataset": found.dataset,
        "objects": described,
        "damaged": list(found.listed.damaged),
    }


def _described(settings: Settings, held: HeldSegment, folder: Path | None) -> dict[str, Any]:
    entry, location = held.entry, held.entry.location
    described: dict[str, Any] = {
        "partition": held.partition,
        "key": location.key,
        "address": object_address(settings, location.key),
        "segment": entry.object,
        "in_pack": bool(location.pack),
        "first_byte": location.pack_offset,
        "size_bytes": location.size_bytes,
        "rows": entry.rows,
        "time_min_ns": entry.time_min_ns,
        "time_max_ns": entry.time_max_ns,
        "epoch_number": entry.epoch_number,
        "first_offset": entry.first_offset,
        "end_offset": entry.end_offset,
        "hidden_offsets": held.hidden,
    }
    return described | ({} if folder is None else {"file": str(folder / file_name(held))})


def _summary_document(found: SummaryFound) -> dict[str, Any]:
    columns = [
        {
            "field": key.field,
            "type": key.type.name.lower(),
            "rows": column.rows,
            "size_bytes": column.size_bytes,
            "distinct": column.distinct,
            "low": _readable(column.low),
            "high": _readable(column.high),
            "has_nan": column.has_nan,
            "values": [[_readable(value), count] for value, count in column.values],
            "values_complete": column.values_complete,
            "prefixes": [_readable(prefix) for prefix in column.prefixes],
            "prefixes_complete": column.prefixes_complete,
        }
        for key, column in found.columns
    ]
    return {
        "state": found.state,
        "size_bytes": found.size_bytes,
        "why": found.why,
        "complete": found.summary is not None and found.summary.complete,
        "columns": columns,
    }


def _readable(value: Value | None) -> int | float | bool | str | None:
    """Texts are cut between bytes, not between characters."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _chosen_table(found: _Found, paths: bool) -> Table:
    if found.summaries is not None:
        return _summaries_table(found, found.summaries)
    return _objects_table(found) if paths else _partitions_table(found)


def _summaries_table(found: _Found, summaries: Sequence[SummaryFound]) -> Table:
    table = _table("partition", "segment", "rows", "from", "summary", "bytes", "in short")
    for held, one in zip(found.listed.segments, summaries, strict=True):
        entry = held.entry
        table.add_row(
            str(held.partition), entry.object[:12], f"{entry.rows:,}", _time(entry.time_min_ns),
            one.state, f"{one.size_bytes:,}", in_short(one),
        )  # fmt: skip
    states = [f"{sum(o.state is s for o in summaries):,} {s}" for s in SummaryState]
    size = sum(one.size_bytes for one in summaries)
    table.add_row("all", "", "", "", "", f"{size:,}", ", ".join(states))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _objects_table(found: _Found) -> Table:
    table = _table("partition", "object", "bytes", "rows", "from", "to", "hidden offsets")
    for held in found.listed.segments:
        entry, location = held.entry, held.entry.location
        first = location.pack_offset
        span = f"{first:,}-{first + location.size_bytes:,}"
        table.add_row(
            str(held.partition), object_address(found.settings, location.key), span,
            f"{entry.rows:,}", _time(entry.time_min_ns), _time(entry.time_max_ns), _hidden(held),
        )  # fmt: skip
    return table


def _partitions_table(found: _Found) -> Table:
    table = _table("partition", "segments", "in packs", "rows", "MB", "from", "to")
    by_partition: dict[int, list[HeldSegment]] = {}
    for held in found.listed.segments:
        by_partition.setdefault(held.partition, []).append(held)
    for partition, some in by_partition.items():
        table.add_row(str(partition), *_sums(some))
    table.add_row("all", *_sums(found.listed.segments))
    return table


def _sums(some: Sequence[HeldSegment]) -> list[str]:
    entries = [held.entry for held in some]
    packed = sum(1 for entry in entries if entry.location.pack)
    return [
        f"{len(entries):,}",
        f"{packed:,}",
        f"{sum(entry.rows for entry in entries):,}",
        f"{sum(entry.size_bytes for entry in entries) / 1e6:,.1f}",
        _time(min((entry.time_min_ns for entry in entries), default=None)),
        _time(max((entry.time_max_ns for entry in entries), default=None)),
    ]


def _hidden(held: HeldSegment) -> str:
    shown = [f"{first}-{end}" for first, end in held.hidden[:_RANGES_SHOWN]]
    if len(held.hidden) > _RANGES_SHOWN:
        shown.append(f"and {len(held.hidden) - _RANGES_SHOWN:,} more")
    return ", ".join(shown)


def _print_notes(found: _Found, folder: Path | None) -> None:
    """What the objects alone do not show, on standard error."""
    listed = found.listed
    for text in listed.damaged:
        click.echo(f"warning: {text}: this list may be wrong; `bellwether verify` tells", err=True)
    hidden = [held for held in listed.segments if held.hidden]
    packed = [held for held in listed.segments if held.entry.location.pack]
    if folder is not None:
        rest = f"; hidden rows of {len(hidden):,} of them are left out" if hidden else ""
        click.echo(f"{len(listed.segments):,} files in {folder}{rest}", err=True)
        return
    if hidden:
        click.echo(
            f"warning: {len(hidden):,} objects have rows that no answer shows: leave out the "
            "hidden offsets (half-open, column `_offset`), or use --extract", err=True,
        )  # fmt: skip
    if packed:
        click.echo(
            f"{len(packed):,} segments are ranges of packs, each a whole Parquet file; --extract "
            "writes them as files", err=True,
        )  # fmt: skip


def _time(ns: int | None) -> str:
    if ns is None:
        return ""
    try:
        return datetime.fromtimestamp(ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{ns} ns"
