"""Publishing a cut: objects first, then the manifest, put only if absent (I3, I4).

Publishing that was interrupted can be repeated from the start: objects are named by their content
and nothing is overwritten. If the twin has published first, its content is compared with ours. A
difference raises an alarm, and both versions are stored.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common import limits
from common.clock import Clock
from common.errors import BellwetherError, DamagedObject, ObjectMissing
from common.logs import log_event
from common.metrics import damaged_objects_total, divergence_total
from snapshot.damage.divergence import Divergence, store_divergence
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import encode_checksummed
from snapshot.documents.digest_versions import with_digest_versions_of
from snapshot.documents.manifest import (
    Checkpoint,
    Dropped,
    Manifest,
    SegmentEntry,
    checkpoint_key,
    checkpoint_prefix,
    decode_manifest,
    encode_manifest,
    format_of,
    parse_manifest_key,
)
from snapshot.documents.next_cut import propose_next_cut, unreadable_offsets
from snapshot.documents.same_content import same_content
from snapshot.documents.sealed_files import SealedFiles
from snapshot.mending import object_is_whole
from snapshot.unnamed.before_naming import ObjectsBeforeNaming, put_if_gone

CHECKPOINT_EVERY = 64  # manifests
_RIVALS_MAX = 3  # a rival is one of the first manifests after the predecessor
logger = logging.getLogger(__name__)


class ChainForked(BellwetherError):
    """Another cut than ours follows our predecessor: resume from what is published."""


class DamageDiffers(ChainForked):
    """The published cut lacks other records than ours: copies of the log are damaged.

    The published chain decides (docs/adr/0019-damaged-records.md).
    lost: offsets that only we could read.
    """

    def __init__(self, text: str, lost: Sequence[int]) -> None:
        super().__init__(text)
        self.lost = tuple(lost)


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of publishing.

    manifest: the one that is in the store.
    adopted: the twin has put it.
    differences: fields in which our manifest differs from it.
    divergence: the report of these differences.
    """

    manifest: Manifest
    adopted: bool
    differences: tuple[str, ...] = ()
    divergence: Divergence | None = None


def publish(
    chain: Chain, manifest: Manifest, files: SealedFiles, *, supersede: bool = False
) -> Published:
    """Publish a cut. Blocks.

    files: the sealed files of the manifest's segments.
    supersede: see `snapshot.documents.next_cut`.
    Raises ObjectsUnavailable (try again, nothing is lost), ChainForked, DamageDiffers.
    """
    damaged = False
    existing = None
    try:
        existing = decode_manifest(chain.objects.get(manifest.key), manifest.key)
    except ObjectMissing:
        _refuse_fork(chain, manifest, files)
    except DamagedObject as error:
        damaged = True
        damaged_objects_total.inc()
        log_event(
            logger, logging.ERROR, "published manifest is damaged; replacing it", why=str(error)
        )
    if existing is None:
        objects = _put_objects(chain, manifest, files)
        data = encode_manifest(manifest)
        _claim_next_cut(chain, manifest, supersede=supersede)
        if damaged:
            chain.objects.replace(manifest.key, data)
        elif not chain.objects.put_if_absent(manifest.key, data):
            return publish(
                chain, manifest, files, supersede=supersede
            )  # the twin has published meanwhile: compare with its manifest
        objects.look_again(manifest.key)
        chain.save_copy(manifest.key, manifest)
        return Published(manifest, adopted=False)
    _refuse_other_damage(manifest, existing)
    if existing.zone == manifest.zone:
        _look_again(chain, existing, manifest, files)
    ours = with_digest_versions_of(existing, manifest, files)
    differences = tuple(same_content(ours, existing))
    found = None
    if differences:
        found = _report_divergence(chain, ours, existing, files, differences)
    chain.save_copy(existing.key, existing)
    return Published(existing, adopted=True, differences=differences, divergence=found)


def _put_objects(chain: Chain, manifest: Manifest, files: SealedFiles) -> ObjectsBeforeNaming:
    objects = ObjectsBeforeNaming(chain.objects)
    places = (segment.location for segment in manifest.segments)
    for key, location in {place.key: place for place in places}.items():
        file = files.object_path(location)
        objects.put(key, file, partial(object_is_whole, chain.objects, location, file.parent))
    return objects


def _look_again(chain: Chain, existing: Manifest, manifest: Manifest, files: SealedFiles) -> None:
    """Put again what is gone: an earlier attempt put the manifest, and failed before it looked."""
    ours = {segment.location for segment in manifest.segments}
    places = (segment.location for segment in existing.segments)
    for key, location in {place.key: place for place in places if place in ours}.items():
        put_if_gone(chain.objects, key, partial(Path, files.object_path(location)))


def _refuse_fork(chain: Chain, manifest: Manifest, files: SealedFiles) -> None:
    following = chain.manifest_keys(after=manifest.predecessor or "")
    for key in following[:_RIVALS_MAX]:
        if key == manifest.key:
            continue  # the twin has just published this cut: it is compared with ours later
        if parse_manifest_key(key)[1] != manifest.epoch_number:
            continue
        try:
            rival = chain.manifest(key)
        except (DamagedObject, ObjectMissing):
            continue  # verify reports it; it is made again when its cut is reached
        if rival.predecessor == manifest.predecessor:
            _refuse_other_damage(manifest, rival)
            _report_divergence(chain, manifest, rival, files, (f"another cut: {key}",))
            raise ChainForked(f"{manifest.key}: {key} follows the same manifest")


def _claim_next_cut(chain: Chain, manifest: Manifest, *, supersede: bool) -> None:
    next_cut = propose_next_cut(chain, manifest, supersede=supersede)
    if next_cut.is_of(manifest):
        return
    _refuse_damage(
        manifest, next_cut.key, set(unreadable_offsets(manifest)), set(next_cut.set_aside)
    )
    raise ChainForked(f"{manifest.key}: {next_cut.key} lets another cut follow the same manifest")


def _refuse_other_damage(manifest: Manifest, published: Manifest) -> None:
    """Raise DamageDiffers if the twins could not read different records.

    Their cuts differ in everything else then, too.
    """
    ours, theirs = ({one.offset for one in cut.set_aside} for cut in (manifest, published))
    _refuse_damage(manifest, published.key, ours, theirs)


def _refuse_damage(manifest: Manifest, other: str, ours: set[int], theirs: set[int]) -> None:
    if ours == theirs:
        return
    missing = sorted(theirs - ours)
    known = [offset for offset in missing if manifest.first_offset <= offset < manifest.next_offset]
    raise DamageDiffers(f"{other} lacks other records than our cut: {missing[:10]}", known)


def _report_divergence(
    chain: Chain,
    manifest: Manifest,
    published: Manifest,
    files: SealedFiles,
    differences: Sequence[str],
) -> Divergence:
    """Store our version beside the published one and raise the alarm of I3."""
    objects = _put_objects(chain, manifest, files)
    found = store_divergence(chain, manifest, published, files, differences)
    objects.look_again(found.ours)
    divergence_total.labels(str(manifest.partition)).inc()
    log_event(
        logger,
        logging.ERROR,
        "DIVERGENCE: our cut is not the published one; both are kept",
        key=manifest.key,
        ours=found.ours,
        differences=list(differences),
        first_differing_block=None if found.block is None else str(found.block),
        published_by_zone=published.zone,
    )
    return found


def publish_checkpoint(
    chain: Chain,
    manifest: Manifest,
    segments: Sequence[SegmentEntry],
    dropped: Sequence[Dropped],
    clock: Clock,
) -> None:
    """Compact the chain up to this manifest, and delete old checkpoints: each names every segment
    that is retained, and only the newest one that can be read is used. Blocks.

    Raises ObjectsUnavailable.
    """
    checkpoint = Checkpoint(
        partition=manifest.partition,
        manifest=manifest.key,
        segments=list(segments),
        created_ns=clock.now_ns(),
        dropped=list(dropped),
        format=format_of(segments),
    )
    objects = chain.objects
    objects.put_if_absent(checkpoint_key(manifest.key), encode_checksummed(checkpoint))
    keys = [info.key for info in objects.list(checkpoint_prefix(manifest.partition))]
    for key in keys[: -limits.CHECKPOINTS_KEPT][: limits.OBJECTS_DELETED_AT_ONCE]:
        objects.delete(key)
