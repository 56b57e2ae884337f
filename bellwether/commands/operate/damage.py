"""`bellwether damage`: records that cannot be read, and the operator's word about them."""

import asyncio
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
import orjson

from bellwether.backends import make_log, make_objects
from bellwether.config.sections import BackendsConfig, NodeConfig
from bellwether.config.settings import Settings
from bellwether.options.shared import configuration_options, load_settings
from common.clock import SystemClock
from common.errors import BellwetherError
from snapshot.damage.damage import CONTENT, LOG, events, may_be_of_any_dataset, records
from snapshot.damage.report import PartitionDamage, damaged_among, read_damage
from snapshot.damage.settlements import SettledOffsets, Settlement, SettlementBook
from snapshot.documents.chain import Chain
from snapshot.documents.manifest import Damaged

T = TypeVar("T")
_WHAT_TO_DO = """\
Answers say that they are incomplete until this is settled. What you can do:
  - while records are in no segment yet, an indexer reads them again by itself and asks its twin;
  - restore the log's file from a copy, or the Kafka replica, and restart the indexer;
  - send the events again, if the sender still has them;
  - count them as lost: bellwether damage settle PARTITION OFFSET... (or --all)
An unreadable record may also have been the deletion of a dataset: if a deleted dataset is back,
delete it again."""


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@configuration_options
@click.pass_context
def damage(
    context: click.Context,
    as_json: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """List records that cannot be read. Exit code 1: some are missing and not settled.

    Works on the object store and the log, also while nothing runs.
    """
    if context.invoked_subcommand is not None:
        return
    found = _run(_read(_settings(config, data, sets)))
    missing = any(one.missing or one.unreadable or one.lost for one in found)
    if as_json:
        click.echo(orjson.dumps([_as_json(one) for one in found], option=orjson.OPT_INDENT_2))
        sys.exit(1 if missing else 0)
    for one in found:
        for line in describe(one):
            click.echo(line)
    if not missing and not any(one.settled for one in found):
        click.echo("no damaged records are known")
    if missing:
        click.echo(_WHAT_TO_DO)
    sys.exit(1 if missing else 0)


@damage.command()
@click.argument("partition", type=int, required=False)
@click.argument("offsets", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All damaged records of all partitions.")
@click.option("--epoch", type=int, help="Epoch of the offsets (default: the present one).")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@configuration_options
def settle(
    partition: int | None,
    offsets: tuple[str, ...],
    everything: bool,
    epoch: int | None,
    yes: bool,
    as_json: bool,
    config: Path | None,
    data: Path | None,
    sets: tuple[str, ...],
) -> None:
    """Count damaged records as lost: OFFSET is a number, or FIRST-LAST.

    Answers are complete again, and go on saying how many records were given up.
    """
    if everything == (partition is not None) or (partition is not None and not offsets):
        raise click.UsageError("name a PARTITION and OFFSETs, or --all")
    settings = _settings(config, data, sets)
    found = _run(_read(settings, partition))
    wanted = [(one, _chosen(one, offsets, epoch, everything)) for one in found]
    wanted += [(one, some) for one in found for some in _lost(one, offsets, everything)]
    wanted = [(one, some) for one, some in wanted if some]
    if not wanted:
        raise click.ClickException("there is nothing to settle")
    if not yes:
        for one, some in wanted:
            for line in _places(one, some):
                click.echo(line, err=True)
        click.confirm("Count these records as lost?", abort=True, err=True)
    made = [_run(_settle(settings, one, some)) for one, some in wanted]
    if as_json:
        documents = [msgspec.to_builtins(document) for document in made]
        click.echo(orjson.dumps(documents, option=orjson.OPT_INDENT_2))
        return
    for document in made:
        count = sum(one.end - one.first for one in document.given_up)
        click.echo(f"partition {document.partition}: {count:,} records given up ({document.key})")


def _settings(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> Settings:
    settings = load_settings(config, data, sets)
    folder = settings.section(NodeConfig).data
    if settings.section(BackendsConfig).embedded and not (folder / "log").is_dir():
        raise click.ClickException(f"{folder} is no data folder: name it with --data")
    return settings


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except BellwetherError as error:
        raise click.ClickException(str(error)) from error


async def _read(settings: Settings, partition: int | None = None) -> list[PartitionDamage]:
    log = make_log(settings, SystemClock(), read_only=True)
    try:
        identity = await log.open()
        objects = await asyncio.to_thread(make_objects, settings, SystemClock())
        if partition is not None and not 0 <= partition < identity.partitions:
            raise click.ClickException(f"there is no partition {partition}")
        numbers = range(identity.partitions) if partition is None else [partition]
        return [await read_damage(objects, log, number) for number in numbers]
    finally:
        await log.close()


def _chosen(
    one: PartitionDamage, offsets: Sequence[str], epoch: int | None, everything: bool
) -> list[Damaged]:
    if everything:
        return list(one.missing)
    some: list[Damaged] = []
    for text in offsets:
        first, end = _range(text)
        if any(lost <= first and end <= stop for lost, stop, _ in one.lost):
            continue  # see `_lost`
        try:
            entries = damaged_among(one.missing, first, end, epoch or one.epoch_number)
        except BellwetherError as error:
            raise click.ClickException(str(error)) from error
        some += [
            msgspec.structs.replace(entry, first=max(entry.first, first), end=min(entry.end, end))
            for entry in entries
        ]
    return some


def _range(text: str) -> tuple[int, int]:
    """The first offset and the one after the last. Raises UsageError."""
    first, dash, last = text.partition("-")
    numbers = [first, last] if dash else [first, first]
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise click.UsageError(f"{text} is neither an offset nor FIRST-LAST")
    if int(numbers[1]) < int(first):
        raise click.UsageError(f"{text} ends before it begins: write FIRST-LAST")
    return int(first), int(numbers[1]) + 1


def _lost(one: PartitionDamage, offsets: Sequence[str], everything: bool) -> list[list[Damaged]]:
    """Offsets that the log cannot give at all are settled as they are reported: the whole run."""
    found = []
    for first, end, why in one.lost:
        named = any(first <= int(text.partition("-")[0]) < end for text in offsets)
        if everything or named:
            found.append(
                [
                    Damaged(
                        epoch_number=one.epoch_number, first=first, end=end, cause=LOG, reason=why
                    )
                ]
            )
    return found


async def _settle(settings: Settings, one: PartitionDamage, some: Sequence[Damaged]) -> Settlement:
    objects = await asyncio.to_thread(make_objects, settings, SystemClock())
    book = SettlementBook(Chain(objects, one.partition, None))
    given_up = [
        SettledOffsets(
            epoch_number=entry.epoch_number,
            first=entry.first,
            end=entry.end,
            dataset=entry.dataset,
            events=entry.events,
            reason=entry.reason,
        )
        for entry in some
    ]
    skip = any(first == entry.first for first, _, _ in one.lost for entry in some)
    made = await asyncio.to_thread(book.settle, given_up, SystemClock().now_ns(), skip=skip)
    if skip:  # appends to an unreadable file are refused: this lets them go on beside it
        log = make_log(settings, SystemClock())
        try:
            await log.open()
            await log.abandon(one.partition, some[0].first)
        finally:
            await log.close()
    return made


def describe(one: PartitionDamage) -> list[str]:
    """A partition's damage in words; nothing if there is none."""
    lines = []
    if one.missing:
        lines += _places(one, one.missing)
    if one.settled:
        lines.append(
            f"partition {one.partition}: {_many(one.settled)} were given up by an operator"
        )
    for first, end, why in one.lost:
        lines.append(
            f"partition {one.partition}: offsets {first}-{end - 1} are lost, indexing waits: {why}"
        )
    if one.unreadable:
        lines.append(
            f"partition {one.partition}: the log cannot be read from offset "
            f"{one.unreadable_from} on: {one.unreadable}"
        )
    return lines


def _places(one: PartitionDamage, some: Sequence[Damaged]) -> list[str]:
    lines = [f"partition {one.partition}: {_many(some)} missing"]
    for entry in some:
        where = f"offset {entry.first}"
        if entry.end > entry.first + 1:
            where = f"offsets {entry.first}-{entry.end - 1}"
        if entry.epoch_number != one.epoch_number:
            where += f" of epoch {entry.epoch_number}"
        whose = (
            "may be of any dataset" if may_be_of_any_dataset(entry) else f"dataset {entry.dataset}"
        )
        many = events((entry,))
        held = "" if many is None else f", {many:,} events"
        state = ""
        if entry.cause != CONTENT:
            covered = entry.first < one.uncovered_from or entry.epoch_number != one.epoch_number
            state = "; published without it" if covered else "; in no segment yet"
        lines.append(f"  {where} ({whose}{held}{state}): {entry.reason}")
    return lines


def _many(some: Sequence[Damaged]) -> str:
    count, held = records(some), events(some)
    known = "" if held is None else f" with {held:,} events"
    return f"{count:,} {'record' if count == 1 else 'records'}{known}"


def _as_json(one: PartitionDamage) -> dict[str, Any]:
    return {
        "partition": one.partition,
        "epoch_number": one.epoch_number,
        "uncovered_from": one.uncovered_from,
        "missing_records": records(one.missing),
        "given_up_records": records(one.settled),
        "missing": msgspec.to_builtins(one.missing),
        "given_up": msgspec.to_builtins(one.settled),
        "lost": [{"first": first, "end": end, "why": why} for first, end, why in one.lost],
        "unreadable": one.unreadable,
        "unreadable_from": one.unreadable_from,
    }
