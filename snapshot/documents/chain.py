"""A partition's documents in the object store, with copies on the indexer's own disk (I4, I5).

A damaged or missing document is repaired from the local copy if the copy's checksum matches.
Without such a copy an error is raised.
"""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from common import atomic_files, limits
from common.errors import DamagedObject, ObjectMissing
from common.logs import log_event
from common.metrics import damaged_objects_total
from common.objects import ObjectStore
from snapshot.documents.checksummed import decode_stored, encode_checksummed
from snapshot.documents.manifest import (
    Checkpoint,
    Manifest,
    checkpoint_prefix,
    manifest_key,
    manifest_prefix,
    parse_manifest_key,
)

T = TypeVar("T", bound=msgspec.Struct)
logger = logging.getLogger(__name__)


class Chain:
    """Reads and repairs one partition's documents. All methods block.

    folder: of the local copies; None: no copies (verify). Of each kind of document the newest are
    kept, at most `limits.LOCAL_COPIES_MAX` and `copies_bytes_max`, but always the last one.
    Every method may raise ObjectsUnavailable.
    """

    def __init__(
        self,
        objects: ObjectStore,
        partition: int,
        folder: Path | None,
        copies_bytes_max: int = limits.LOCAL_COPIES_BYTES_MAX,
    ) -> None:
        self.objects = objects
        self.partition = partition
        self._folder = folder
        self._copies_bytes_max = copies_bytes_max
        self._copies_turn = threading.Lock()
        self._copies: dict[Path, dict[str, int]] = {}  # by folder, the bytes of each copy in it

    def load(self, key: str, kind: type[T]) -> T:
        """The document of that key. Raises DamagedObject, ObjectMissing, DocumentTooNew."""
        try:
            return decode_stored(self.objects.get(key), kind, key)
        except (DamagedObject, ObjectMissing) as error:
            if isinstance(error, DamagedObject):
                damaged_objects_total.inc()
            copy = self._local_copy(key, kind)
            if copy is None:
                raise
            self.objects.replace(key, encode_checksummed(copy))
            log_event(
                logger, logging.WARNING, "repaired from the local copy", key=key, why=str(error)
            )
            return copy

    def manifest(self, key: str) -> Manifest:
        """The manifest of that key. Raises as `load` does."""
        return self.load(key, Manifest)

    def manifest_of(self, epoch_number: int, end_offset: int) -> Manifest:
        """The manifest of the cut that made a segment which ends at this offset (exclusive).

        Raises ObjectMissing, DamagedObject, DocumentTooNew, ObjectsUnavailable.
        """
        before = manifest_key(self.partition, epoch_number, max(0, end_offset - 1))
        for info in self.objects.list(manifest_prefix(self.partition), before):
            return self.manifest(info.key)
        raise ObjectMissing(f"no manifest after {before}")

    def save_copy(self, key: str, document: msgspec.Struct) -> None:
        """Store a local copy of a document that is published.

        A copy only serves repairs: a full disk stops neither resuming nor publishing, and it is not
        made durable, because its checksum is verified before it is used.
        """
        if self._folder is None:
            return
        path = self._folder / key
        try:
            atomic_files.make_folder(path.parent)
            atomic_files.replace(path, encode_checksummed(document), durable=False)
            self._remove_old_copies(path)
        except OSError as error:
            log_event(logger, logging.WARNING, "no local copy was kept", key=key, why=str(error))

    def copies_folder(self, prefix: str) -> Path | None:
        """Where copies of what has this prefix may be kept; None: there are no copies."""
        return None if self._folder is None else self._folder / prefix

    def _remove_old_copies(self, saved: Path) -> None:
        """Keep the copies of this kind within their limits; `saved` is the one just written."""
        folder = saved.parent
        with self._copies_turn:
            sizes = self._copies.get(folder)
            if sizes is None:  # the folder is listed once: each cut saves a copy
                found = folder.glob("[0-9]*.json")
                sizes = self._copies[folder] = {copy.name: copy.stat().st_size for copy in found}
            sizes[saved.name] = saved.stat().st_size
            held_bytes = sum(sizes.values())
            oldest_first = iter(sorted(sizes))
            while len(sizes) > limits.LOCAL_COPIES_MAX or held_bytes > self._copies_bytes_max:
                if len(sizes) == 1:
                    break
                name = next(oldest_first)
                (folder / name).unlink(missing_ok=True)
                held_bytes -= sizes.pop(name)

    def _local_copy(self, key: str, kind: type[T]) -> T | None:
        if self._folder is None:
            return None
        try:
            return decode_stored((self._folder / key).read_bytes(), kind, key)
        except (OSError, DamagedObject):
            return None

    def manifest_keys(self, after: str = "") -> list[str]:
        """Keys of the manifests, in the order of the chain; other objects are left out.

        A listing may miss an object that is put while it runs, and yet include one that is put
        later. Every manifest before the last key of a first listing was put before a second
        listing begins, so the second one, up to that key, has no holes.
        """
        keys = self._list_manifests(after)
        last = keys[-1] if keys else ""
        return [key for key in self._list_manifests(after) if key <= last]

    def restore_missing(self, found: Sequence[str]) -> list[str]:
        """Put manifests that are missing in `found` again from local copies; returns their keys."""
        if self._folder is None:
            return []
        folder = self._folder / manifest_prefix(self.partition)
        names = sorted(p.name for p in folder.glob("[0-9]*.json"))
        restored = []
        for key in (manifest_prefix(self.partition) + name for name in names):
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
