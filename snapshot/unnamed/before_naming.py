"""Puts objects that a document is about to name, and looks again after it names them (I4).

An object is put before the document that names it, and one that is there already is used as it is:
it may be left from a cut that was never published. `bellwether unnamed --remove` may be deleting
just that one, since no document names it yet. So, once the document is in the store, such objects
are looked for and put again if they are gone. The same happens to all of them if naming took long:
the removal spares what is younger than a day.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from common import limits
from common.logs import log_event
from common.metrics import damaged_objects_total
from common.objects import ObjectInfo, ObjectStore

logger = logging.getLogger(__name__)


class ObjectsBeforeNaming:
    """The objects of one document that is about to be put. Methods block.

    They raise ObjectsUnavailable; then put the objects again from the start.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects
        self._put: list[tuple[str, Path]] = []
        self._found: list[tuple[str, Path]] = []

    def put(self, key: str, file: Path, is_whole: Callable[[], bool]) -> None:
        """Put one object. is_whole: whether the object that is there has the file's bytes."""
        if self._objects.put_if_absent(key, file):
            self._put.append((key, file))
            return
        self._found.append((key, file))
        if not is_whole():
            damaged_objects_total.inc()
            text = "object that is there is damaged; replacing it"
            log_event(logger, logging.ERROR, text, key=key)
            self._objects.replace(key, file)

    def look_again(self, document: str) -> None:
        """Put again what is gone, now that the document of this key is in the store."""
        late = self._put if self._took_long(document) else []
        for key, file in (*self._found, *late):
            put_if_gone(self._objects, key, partial(Path, file))

    def _took_long(self, document: str) -> bool:
        """Whether the first object was put long before the document, by the store's times."""
        if not self._put:
            return False
        first = self._objects.head(self._put[0][0])
        named = self._objects.head(document)
        return first is None or named is None or _apart_ns(first, named) > limits.NAMED_WITHIN_NS


def put_if_gone(objects: ObjectStore, key: str, file: Callable[[], Path | None]) -> None:
    """Put an object again that is gone although a document names it now. Blocks.

    file: finds its bytes; None: they are not here. Raises ObjectsUnavailable.
    """
    if objects.head(key) is not None or (found := file()) is None:
        return
    if objects.put_if_absent(key, found):
        text = "object was removed while it was being named; put again"
        log_event(logger, logging.WARNING, text, key=key)


def _apart_ns(one: ObjectInfo, other: ObjectInfo) -> int:
    return other.modified_ns - one.modified_ns
