"""A partition's documents in the object store, with copies on the indexer's own disk (I4, I5).

A damaged or missing document is repaired from the local copy when that one's checksum matches;
without one it is reported by raising, never believed.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from common import durable, limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from common.metrics import damaged_objects_total
from common.objects import ObjectStore
from snapshot.documents.checksummed import decode_checksummed, encode_checksummed
from snapshot.documents.manifest import (
    Checkpoint,
    Manifest,
    checkpoint_prefix,
    manifest_prefix,
    parse_manifest_key,
)

T = TypeVar("T", bound=msgspec.Struct)
logger = logging.getLogger(__name__)


class Chain:
    """Reads and repairs one partition's documents. All methods block.

    folder: where local copies are kept; None: no copies (verify).
    Every method may raise ObjectsUnavailable.
    """

    def __init__(self, objects: ObjectStore, partition: int, folder: Path | None) -> None:
        self.objects = objects
        self.partition = partition
        self._folder = folder

    def load(self, key: str, kind: type[T]) -> T:
        """The document of that key. Raises DamagedObject, ObjectMissing, DocumentTooNew."""
        try:
            return decode_checksummed(self.objects.get(key), kind, key)
        except (DamagedObject, ObjectMissing) as error:
            if isinstance(error, DamagedObject):
                damaged_objects_total.inc()
            kept = self._local_copy(key, kind)
            if kept is None:
                raise
            self.objects.replace(key, encode_checksummed(kept))
            log_event(
                logger, logging.WARNING, "repaired from the local copy", key=key, why=str(error)
            )
            return kept

    def manifest(self, key: str) -> Manifest:
        """The manifest of that key. Raises as `load` does."""
        return self.load(key, Manifest)

    def save_copy(self, key: str, document: msgspec.Struct) -> None:
        """Keep a local copy of a document that is published.

        A copy only helps repairs: a disk that is full keeps nobody from resuming or publishing.
        """
        if self._folder is None:
            return
        path = self._folder / key
        try:
            durable.make_folder(path.parent)
            durable.replace(path, encode_checksummed(document))
            kept = sorted(path.parent.glob("[0-9]*.json"))
            for old in kept[: -limits.LOCAL_COPIES_MAX]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log_event(logger, logging.WARNING, "no local copy was kept", key=key, why=str(error))

    def _local_copy(self, key: str, kind: type[T]) -> T | None:
        if self._folder is None:
            return None
        try:
            return decode_checksummed((self._folder / key).read_bytes(), kind, key)
        except (OSError, DamagedObject):
            return None

    def manifest_keys(self, after: str = "") -> list[str]:
        """Keys of the manifests, in order of the chain; other objects there are left out.

        A listing may miss an object that is put meanwhile and yet show one put after it. What
        comes before the last key of one listing was there before the next began, so that one
        shows a run of the chain without holes.
        """
        keys = self._list_manifests(after)
        last = keys[-1] if keys else ""
        return [key for key in self._list_manifests(after) if key <= last]

    def restore_missing(self, found: Sequence[str]) -> list[str]:
        """Keys of manifests that are missing among `found` (in order), put again from copies."""
        if self._folder is None:
            return []
        folder = self._folder / manifest_prefix(self.partition)
        kept = sorted(manifest_prefix(self.partition) + p.name for p in folder.glob("[0-9]*.json"))
        restored = []
        for key in kept:
            if key in set(found):
                continue
            try:
                self.manifest(key)
            except (DamagedObject, ObjectMissing):
                continue  # the copy is damaged too
            restored.append(key)
        return restored

    def _list_manifests(self, after: str) -> list[str]:
        keys = []
        for info in self.objects.list(manifest_prefix(self.partition), after):
            try:
                parse_manifest_key(info.key)
            except ValueError:
                log_event(logger, logging.WARNING, "not a manifest; ignored", key=info.key)
                continue
            keys.append(info.key)
        return keys

    def newest_checkpoint(self, manifests: set[str]) -> Checkpoint | None:
        """The newest readable checkpoint that ends with one of these manifests."""
        keys = [info.key for info in self.objects.list(checkpoint_prefix(self.partition))]
        for key in reversed(keys):
            try:
                checkpoint = self.load(key, Checkpoint)
            except (DamagedObject, ObjectMissing) as error:
                log_event(logger, logging.WARNING, "checkpoint skipped", key=key, why=str(error))
                continue
            if checkpoint.manifest in manifests:
                return checkpoint
        return None
