"""Bootstrap: the newest readable manifest, and the offset from which the log is replayed (I5).

Needs no live peer. If a manifest is damaged and has no local copy, the log is replayed from its
predecessor, which makes the manifest again. If the log no longer holds those records, the exact gap
is recorded and indexing goes on after it.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from common.clock import Clock
from common.errors import DamagedObject, ObjectMissing
from common.log import Bounds, Log
from common.logs import log_event
from snapshot.damage.damage import carried_damage
from snapshot.documents.carried_state import CarriedState, carried_state_from
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed
from snapshot.documents.epochs import (
    SET_BACK,
    Epoch,
    Resumption,
    decide_resumption,
    earlier_ends,
    epoch_key,
    epoch_prefix,
    split_stray,
)
from snapshot.documents.manifest import Dropped, Gap, Manifest, SegmentEntry, parse_manifest_key
from snapshot.documents.prefetch import prefetch_documents
from snapshot.threads import to_store_thread

_OPEN_ATTEMPTS = 5  # twins open an epoch at the same time; the loser reads the history again
# A new leader may for a moment not know how far its log is committed. An epoch is opened because
# the log ends before what a manifest covers only after this many checks that agree.
SET_BACK_CHECKS = 3
SET_BACK_PAUSE_S = 0.7  # between two of these checks
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class History:
    """What the object store holds of one partition.

    newest: the newest manifest that can be resumed from; None if there is none.
    keys: manifests that count, oldest first, up to `newest`.
    since_checkpoint: number of manifests after the newest checkpoint.
    stray: manifests of a closed epoch beyond its end.
    damaged: documents that were skipped, each with the reason.
    lost: offsets whose manifests are damaged or missing and that the log no longer holds.
    dropped: batches in `segments` that are not served.
    """

    epochs: tuple[Epoch, ...]
    newest: Manifest | None
    keys: tuple[str, ...]
    segments: tuple[SegmentEntry, ...]
    since_checkpoint: int
    stray: tuple[str, ...]
    damaged: tuple[tuple[str, str], ...]
    lost: tuple[Gap, ...]
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class ResumedPartition:
    """The state from which a partition resumes.

    predecessor: key of the manifest that the next one follows; None if there is none.
    earlier: see `epochs.earlier_ends`.
    """

    epoch: Epoch
    carried: CarriedState
    predecessor: str | None
    segments: tuple[SegmentEntry, ...]
    gaps: tuple[Gap, ...]
    since_checkpoint: int
    history: History
    earlier: Mapping[str, int]


def read_epochs(
    chain: Chain, manifests: Sequence[str]
) -> tuple[list[Epoch], list[tuple[str, str]]]:
    """The partition's epochs in order, and the damaged ones with the reason. Blocks.

    A damaged or missing epoch without a local copy is rebuilt from its first manifest.
    """
    epochs, damaged = [], []
    listed = {info.key for info in chain.objects.list(epoch_prefix(chain.partition))}
    named = {epoch_key(chain.partition, parse_manifest_key(key)[1]) for key in manifests}
    for key in sorted(listed | named):
        try:
            epochs.append(chain.load(key, Epoch))
        except (DamagedObject, ObjectMissing) as error:
            damaged.append((key, str(error)))
            rebuilt = _rebuild_epoch(chain, key, manifests)
            if rebuilt is not None:
                epochs.append(rebuilt)
    return epochs, damaged


def _rebuild_epoch(chain: Chain, key: str, manifests: Sequence[str]) -> Epoch | None:
    for manifest_key in manifests:
        _, number, _ = parse_manifest_key(manifest_key)
        if epoch_key(chain.partition, number) != key:
            continue
        try:
            first = chain.manifest(manifest_key)
        except (DamagedObject, ObjectMissing):
            continue
        epoch = Epoch(
            partition=chain.partition,
            number=number,
            log=first.epoch,
            first_offset=first.first_offset,
            predecessor=first.predecessor,
            gap=None,
            reason="rebuilt from its first manifest",
            writer=first.writer,
            zone=first.zone,
            opened_ns=first.created_ns,
        )
        chain.objects.replace(key, encode_checksummed(epoch))
        return epoch
    return None


def read_history(chain: Chain, log_start: int) -> History:
    """All documents that count, up to the newest manifest that can be resumed from. Blocks.

    log_start: the log's first offset; it decides whether a damaged manifest can be made again.
    """
    found = chain.manifest_keys()
    found = sorted([*found, *chain.restore_missing(found)])
    epochs, damaged = read_epochs(chain, found)
    keys, stray = split_stray(found, epochs)
    checkpoint = chain.newest_checkpoint(set(keys))
    at = 0 if checkpoint is None else keys.index(checkpoint.manifest)
    good = keys[:at]
    segments = [] if checkpoint is None else list(checkpoint.segments)
    dropped = set() if checkpoint is None else set(checkpoint.dropped)
    newest: Manifest | None = None
    lost: list[Gap] = []
    since = 0
    for key, manifest in prefetch_documents(chain.manifest, keys[at:]):
        if not isinstance(manifest, Manifest):
            damaged.append((key, str(manifest)))
            if _replayable(epochs, newest, parse_manifest_key(key)[1], log_start):
                break  # replaying the log makes this manifest and the following ones again
            continue
        if checkpoint is None or key != checkpoint.manifest:
            missing = _missing_range(epochs, newest, manifest)
            if missing is not None:
                damaged.append((f"before {key}", f"no manifest of offsets from {missing.first} on"))
                if _replayable(epochs, newest, manifest.epoch_number, log_start):
                    break
                lost.append(missing)
            segments.extend(manifest.segments)
            dropped.update(manifest.conditionals_dropped)
            since += 1
        newest = manifest
        good.append(key)
    if newest is None:
        segments, dropped = [], set()
    return History(
        tuple(epochs),
        newest,
        tuple(good),
        tuple(segments),
        since,
        tuple(stray),
        tuple(damaged),
        tuple(lost),
        tuple(sorted(dropped)),
    )


def _replayable(
    epochs: Sequence[Epoch], newest: Manifest | None, number: int, log_start: int
) -> bool:
    """Whether the log still holds the records after `newest`, in the epoch of that number."""
    if not epochs:
        return log_start == 0
    if number != epochs[-1].number:
        return False
    in_epoch = newest is not None and newest.epoch_number == number
    resume_at = newest.next_offset if newest and in_epoch else epochs[-1].first_offset
    return log_start <= resume_at


def _missing_range(
    epochs: Sequence[Epoch], before: Manifest | None, manifest: Manifest
) -> Gap | None:
    """Offsets between two manifests that no readable manifest covers any more."""
    firsts = {epoch.number: (epoch.log, epoch.first_offset) for epoch in epochs}
    if before is not None and before.epoch_number == manifest.epoch_number:
        log, first, end = manifest.epoch, before.next_offset, manifest.first_offset
        if any(gap.epoch == log and gap.first == first for gap in manifest.gaps):
            return None
    elif manifest.predecessor is None or (before and manifest.predecessor == before.key):
        return None
    else:
        _, number, end = parse_manifest_key(manifest.predecessor)
        log, first = firsts.get(number, (manifest.epoch, 0))
        if before is not None and before.epoch_number == number:
            first = before.next_offset
    reason = "the manifest of these records is damaged or missing"
    return Gap(log, first, end, reason) if first < end else None


def newest_first(chain: Chain, history: History) -> Iterator[Manifest]:
    """The manifests that count, newest first; stops at one that cannot be read."""
    if history.newest is None:
        return
    yield history.newest
    older = [key for key in history.keys if key != history.newest.key]
    for key, manifest in prefetch_documents(chain.manifest, reversed(older)):
        if not isinstance(manifest, Manifest):
            why = str(manifest)
            log_event(logger, logging.WARNING, "older manifest cannot be read", key=key, why=why)
            return
        yield manifest


async def resume(
    chain: Chain,
    log: Log,
    log_id: str,
    *,
    clock: Clock,
    writer: str,
    zone: str,
    set_back_pause_s: float = SET_BACK_PAUSE_S,
) -> ResumedPartition:
    """Find the offset and state to resume from; opens an epoch if one is due.

    set_back_pause_s: between two checks of a log that ends before what a manifest covers.
    Raises ObjectsUnavailable, LogUnavailable, DocumentTooNew.
    """
    checks = 0
    for _ in range(_OPEN_ATTEMPTS + SET_BACK_CHECKS):
        bounds = await log.bounds(chain.partition)
        history = await to_store_thread(read_history, chain, bounds.start)
        _report(history)
        resumption = await _decide(chain, log, log_id, bounds, history)
        if resumption.reason is None:
            return await to_store_thread(_resumed, chain, history, history.epochs[-1], resumption)
        if (
            resumption.gap is not None
            and resumption.gap.reason == SET_BACK
            and checks < SET_BACK_CHECKS
        ):
            checks += 1
            await asyncio.sleep(set_back_pause_s)
            continue
        epoch = _next_epoch(chain, history, log_id, resumption, clock, writer, zone)
        if await to_store_thread(_open_epoch, chain, epoch, history):
            return await to_store_thread(_resumed, chain, history, epoch, resumption)
    raise DamagedObject(f"epochs of partition {chain.partition} cannot be opened; run verify")


def _report(history: History) -> None:
    for key, reason in history.damaged:
        log_event(logger, logging.ERROR, "damaged document skipped", key=key, why=reason)
    for key in history.stray:
        log_event(logger, logging.ERROR, "manifest beyond its epoch's end ignored", key=key)


async def _decide(
    chain: Chain, log: Log, log_id: str, bounds: Bounds, history: History
) -> Resumption:
    current = history.epochs[-1] if history.epochs else None
    older = newest_first(chain, history)
    if history.newest is not None:
        next(older)
    seen = frozenset(epoch.log for epoch in history.epochs)
    return await decide_resumption(log, log_id, bounds, history.newest, current, older, seen)


def _next_epoch(
    chain: Chain,
    history: History,
    log_id: str,
    resumption: Resumption,
    clock: Clock,
    writer: str,
    zone: str,
) -> Epoch:
    current = history.epochs[-1] if history.epochs else None
    seen = [parse_manifest_key(key)[1] for key in history.keys]
    number = max([0 if current is None else current.number, *seen]) + 1
    return Epoch(
        partition=chain.partition,
        number=number,
        log=log_id,
        first_offset=resumption.first_offset,
        predecessor=None if history.newest is None else history.newest.key,
        gap=resumption.gap,
        reason=resumption.reason or "",
        writer=writer,
        zone=zone,
        opened_ns=clock.now_ns(),
    )


def _open_epoch(chain: Chain, epoch: Epoch, history: History) -> bool:
    data = encode_checksummed(epoch)
    if epoch.key in dict(history.damaged):
        chain.objects.replace(epoch.key, data)
    elif not chain.objects.put_if_absent(epoch.key, data):
        return False
    chain.save_copy(epoch.key, epoch)
    log_event(
        logger,
        logging.WARNING if epoch.gap else logging.INFO,
        "epoch opened",
        partition=epoch.partition,
        number=epoch.number,
        log=epoch.log,
        reason=epoch.reason,
    )
    return True


def _resumed(
    chain: Chain, history: History, epoch: Epoch, resumption: Resumption
) -> ResumedPartition:
    carried = carried_state_from(newest_first(chain, history))
    damaged = tuple(carried_damage(newest_first(chain, history)))
    carried = replace(carried, next_offset=resumption.first_offset, damaged=damaged)
    newest = history.newest
    chain.save_copy(epoch.key, epoch)
    if newest is not None:
        chain.save_copy(newest.key, newest)
    known = [*(newest.gaps if newest else ()), *history.lost]
    known += [gap for gap in (epoch.gap, resumption.gap) if gap is not None]
    epochs = [*(one for one in history.epochs if one.number < epoch.number), epoch]
    return ResumedPartition(
        epoch=epoch,
        carried=carried,
        predecessor=None if newest is None else newest.key,
        segments=history.segments,
        gaps=tuple(dict.fromkeys(known)),
        since_checkpoint=history.since_checkpoint,
        history=history,
        earlier=earlier_ends(epochs, epoch.log),
    )
