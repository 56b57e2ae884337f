"""An operator's word: up to what append times a partition's events may expire now (I13).

Where nothing but this machine's clock says that events are old, retention waits for such a
document: numbered, put only if absent, read by every indexer. It confirms what was shown, not
more, and a later restoration ends it.
"""

import logging

import msgspec

from common.errors import DamagedObject, ObjectMissing
from common.logs import say
from snapshot.chain import Chain
from snapshot.checked import DOCUMENT_FORMAT, encode_checked
from snapshot.cutoffs import Cutoffs

logger = logging.getLogger(__name__)


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One confirmation.

    after: number of the newest retention document that was known; a restoration after it ends the
    word. cutoffs: by dataset, append times before which events may expire. time_ns: what time it
    is, as the operator confirms it.
    """

    partition: int
    number: int
    after: int
    cutoffs: dict[str, int]
    time_ns: int
    writer: str
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{words_prefix(self.partition)}{self.number:08d}.json"


def words_prefix(partition: int) -> str:
    """Where a partition's words are."""
    return f"retention-words/{partition:05d}/"


class WordBook:
    """The words about one partition, read once each. Methods block; one thread at a time."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._newest_key = ""
        self._number = 0
        self._words: list[Word] = []

    def refresh(self) -> None:
        """Read new words. One that cannot be read confirms nothing."""
        prefix = words_prefix(self._chain.partition)
        for info in self._chain.objects.list(prefix, self._newest_key):
            name = info.key.removeprefix(prefix).removesuffix(".json")
            if not name.isdigit():
                continue
            try:
                self._words.append(self._chain.load(info.key, Word))
            except (DamagedObject, ObjectMissing) as error:
                say(logger, logging.ERROR, "word skipped", key=info.key, why=str(error))
            self._newest_key, self._number = info.key, int(name)

    def cutoffs(self, last_restore: int) -> Cutoffs:
        """What is confirmed, after this restoration."""
        found = Cutoffs()
        for word in self._words:
            if word.after >= last_restore:
                found = found.joined(Cutoffs(0, word.cutoffs))
        return found

    def time_ns(self) -> int:
        """The latest time that an operator has confirmed; 0: none."""
        return max((word.time_ns for word in self._words), default=0)

    def say(self, after: int, cutoffs: dict[str, int], time_ns: int, writer: str) -> Word | None:
        """Publish a word; None if somebody else did at this moment."""
        self.refresh()
        word = Word(
            partition=self._chain.partition,
            number=self._number + 1,
            after=after,
            cutoffs=cutoffs,
            time_ns=time_ns,
            writer=writer,
        )
        if not self._chain.objects.put_if_absent(word.key, encode_checked(word)):
            return None
        self.refresh()
        return word
