"""The hashes that the documents of an object store name (I4).

Every run of 64 hex digits in a document counts as a name, whatever its field: so a name is never
overlooked, at the price of counting digests too. Only the first half of a hash's 32 digits is
compared, which can only let an object count as named that is not.
"""

import re
from array import array
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from common.errors import DamagedObject
from common.objects import ObjectStore
from snapshot.compaction.bases import BasePart, CompactionBase
from snapshot.compaction.documents import CompactionDocument
from snapshot.damage.divergence import REPORT, Divergence
from snapshot.documents.checksummed import DocumentTooNew, checked_body
from snapshot.documents.manifest import Checkpoint, Manifest
from snapshot.documents.prefetch import prefetch_documents
from snapshot.retention.document import Retention

DERIVED = "summaries"  # objects that belong to the segment of their name
PARTS = "compaction-parts"
DATA = ("packs", "segments", PARTS)  # objects that are named by their content's hash
NAMING = {
    "checkpoints": Checkpoint,
    "compaction-bases": CompactionBase,
    PARTS: BasePart,
    "compactions": CompactionDocument,
    "divergence": Manifest,
    "manifests": Manifest,
    "retention": Retention,
}
# documents that name no object of DATA
OTHERS = (
    "damage",
    "epochs",
    "headings",
    "members",
    "metadata",
    "probe",
    "results",
    "retention-confirmations",
)
_HASH = re.compile(rb"[0-9a-f]{64}")
_DIGITS = 16


class Names:
    """The names in the store's documents, each document read once. Methods block.

    unreadable: why removing anything is unsafe: documents that cannot be read, or prefixes of keys
    that this program does not know.
    They raise ObjectsUnavailable.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._read: set[str] = set()
        self._names: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
        self.unreadable: list[str] = []

    def __contains__(self, object_hash: str) -> bool:
        name = np.uint64(int(object_hash[:_DIGITS], 16))
        at = int(np.searchsorted(self._names, name))
        return at < len(self._names) and bool(self._names[at] == name)

    def refresh(self) -> None:
        """Read the documents that are new. What was put before it begins is seen by it."""
        known = {*DATA, DERIVED, *NAMING, *OTHERS}
        self.unreadable = [
            f"{top}/ is of a newer version or of another program: what it names is not known"
            for top in self._top_level()
            if top not in known
        ]
        found = array("Q")
        keys = [k for k in self._keys() if k not in self._read]
        for key, names in prefetch_documents(self._names_in, keys):
            if isinstance(names, array):
                self._read.add(key)
                found.extend(names)
            elif self._objects.head(key) is not None:  # else it was removed since it was listed
                self.unreadable.append(str(names))
        if found:
            added = np.frombuffer(found, np.uint64)
            self._names = np.unique(np.concatenate([self._names, added]))

    def _top_level(self) -> Iterator[str]:
        """The first parts of all keys: one listing each, as `0` sorts right after `/`."""
        after = ""
        while (info := next(iter(self._objects.list("", after)), None)) is not None:
            top = info.key.partition("/")[0]
            yield top
            after = f"{top}0"

    def _keys(self) -> Iterator[str]:
        for top in NAMING:
            for info in self._objects.list(f"{top}/"):
                yield info.key

    def _names_in(self, key: str) -> "array[int]":
        """The names in one document. Raises DamagedObject, ObjectMissing."""
        kind: type = NAMING[key.partition("/")[0]]
        if key.endswith(REPORT):
            kind = Divergence
        try:
            body = checked_body(self._objects.get(key), kind, key)
        except DocumentTooNew as error:
            raise DamagedObject(f"{error}: upgrade this program") from error
        found = {int(one[:_DIGITS], 16) for one in _HASH.findall(body)}
        return array("Q", found)
