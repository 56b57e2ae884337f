"""Copies of the parts of bases on the indexer's own disk (I4).

Bases name parts that have not changed again, so a damaged part is missing in each of them, and the
documents that it stands for are deleted. Its copy is then put again.
"""

import hashlib
import logging
import threading
from collections.abc import Set
from pathlib import Path

from common import atomic_files, limits
from common.logs import log_event

logger = logging.getLogger(__name__)


class PartCopies:
    """The copies of one partition's parts. Blocks; may be used from several threads.

    folder: where they lie; None: there are none. bytes_max: of all; beyond it none is added.
    """

    def __init__(self, folder: Path | None, bytes_max: int = limits.LOCAL_COPIES_BYTES_MAX) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._turn = threading.Lock()
        self._sizes: dict[str, int] | None = None  # by file name, when the folder was listed

    def read(self, object_hash: str) -> bytes | None:
        """The bytes of a part; None: there is no whole copy."""
        if self._folder is None:
            return None
        try:
            data = (self._folder / _name(object_hash)).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == object_hash else None

    def save(self, object_hash: str, data: bytes) -> None:
        """Store a copy. As copies only serve repairs, a full disk is no error."""
        if self._folder is None:
            return
        name = _name(object_hash)
        with self._turn:
            try:
                sizes = self._listed(self._folder)
                if name in sizes or sum(sizes.values()) + len(data) > self._bytes_max:
                    return
                atomic_files.make_folder(self._folder)
                atomic_files.replace(self._folder / name, data, durable=False)
                sizes[name] = len(data)
            except OSError as error:
                text = "no local copy was kept"
                log_event(logger, logging.WARNING, text, key=object_hash, why=str(error))

    def keep(self, object_hashes: Set[str]) -> None:
        """Remove the copies of all other parts."""
        if self._folder is None:
            return
        names = {_name(one) for one in object_hashes}
        with self._turn:
            try:
                sizes = self._listed(self._folder)
                for name in sizes.keys() - names:
                    (self._folder / name).unlink(missing_ok=True)
                    del sizes[name]
            except OSError as error:
                text = "local copies were not removed"
                log_event(logger, logging.WARNING, text, why=str(error))

    def _listed(self, folder: Path) -> dict[str, int]:
        if self._sizes is None:
            self._sizes = {copy.name: copy.stat().st_size for copy in folder.glob("[0-9a-f]*.json")}
        return self._sizes


def _name(object_hash: str) -> str:
    return f"{object_hash}.json"
