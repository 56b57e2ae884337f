"""API keys: their forms, their hash, and the cache by which public roles authenticate.

Keeps I8: known keys keep working for a day while metadata is down. "No such key" (401) and
"metadata unavailable" (503) are never confused. Key texts are never stored, only their SHA-256.
"""

import asyncio
import hashlib
import hmac
import logging
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from common import limits
from common.clock import Clock
from common.error_text import describe_error
from common.errors import BadRequest, MetadataUnavailable, UnknownKey
from common.logs import log_event
from common.metadata import Access, ApiKey, Environment, KeyKind, Metadata, Team
from common.metrics import key_cache_stale_total
from common.process.machine.disk_copy import DiskCopy

KEY_HEADER = "X-Honeycomb-Team"
INGEST_KEY_PREFIX = "hcxik_"
CLASSIC_INGEST_KEY_PREFIX = "hcxic_"
_LOOKUP_THREADS = 4  # a hanging metadata store must not take the threads of the log
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HEX = "0123456789abcdef"
_CLASSIC = re.compile("[0-9a-f]{32}|hc[a-z]ic_[0-9a-z]{58}")
_INGEST = re.compile("hc[a-z]i[ck]_[0-9a-z]{58}")
_FOREIGN = re.compile("[A-Za-z0-9_.:-]+")
_KEY_CHARS_MIN = 20  # the vendor's shortest have 22
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_SECOND_NS = 10**9
_NOTE_NS = 60 * _SECOND_NS  # a crash may lose this much of the count, so each start adds it
_logger = logging.getLogger(__name__)


def generate_key(
    kind: KeyKind, random_bytes: Callable[[int], bytes], *, classic: bool = False
) -> str:
    """A new key's text: 22 characters, or 64 for an ingest key (`hcxik_` and 58 more).

    classic: 32 hex digits, or `hcxic_` and 58 more. From this form clients infer that the key has
    no environment, and send to the configured dataset instead of one named after their service.
    """
    if kind is KeyKind.INGEST:
        prefix = CLASSIC_INGEST_KEY_PREFIX if classic else INGEST_KEY_PREFIX
        return prefix + _draw(_BASE36, 58, random_bytes)
    return _draw(_HEX, 32, random_bytes) if classic else _draw(_BASE62, 22, random_bytes)


def is_classic(text: str) -> bool:
    """Whether a key has the form of one without an environment, as the vendor's clients see it."""
    return _CLASSIC.fullmatch(text) is not None


def check_foreign_key(text: str, kind: KeyKind) -> None:
    """Check that a key of another system is a valid key here. Raises BadRequest, whose text never
    quotes the key.
    """
    if not _KEY_CHARS_MIN <= len(text) <= limits.KEY_CHARS_MAX:
        raise BadRequest(
            f"a key has {_KEY_CHARS_MIN} to {limits.KEY_CHARS_MAX} characters: shorter ones can "
            f"be guessed; this one has {len(text)}"
        )
    if _FOREIGN.fullmatch(text) is None:
        raise BadRequest("a key consists of letters, digits, `_`, `-`, `.` and `:` only")
    if _INGEST.fullmatch(text) is not None and kind is not KeyKind.INGEST:
        raise BadRequest("this key has the form of one that only sends: take it over as that")


def make_key(
    environment: tuple[Team, Environment],
    name: str,
    kind: KeyKind,
    access: Access,
    now_ns: int,
    random_bytes: Callable[[int], bytes],
    *,
    events_per_s: int = 0,
    events_per_day: int = 0,
    classic: bool = False,
    text: str | None = None,
) -> tuple[str, ApiKey]:
    """A new key's text, which is kept nowhere, and its record, to be stored by the caller.

    text: of a key that clients have already. Raises BadRequest if it cannot be one.
    """
    if text is None:
        text = generate_key(kind, random_bytes, classic=classic)
    else:
        check_foreign_key(text, kind)
    digest = hash_key(text)
    key = ApiKey(
        id=digest[:24],
        hash=digest,
        kind=kind,
        name=name,
        team=environment[0],
        environment=environment[1],
        access=access,
        events_per_s=events_per_s,
        events_per_day=events_per_day,
        created_ns=now_ns,
    )
    return text, key


def rights_of(
    *, ingest: bool, read_only: bool, create_datasets: bool, admin: bool, operate: bool
) -> tuple[KeyKind, Access]:
    """What a new key may do. Raises BadRequest for options that contradict each other.

    Without options: send, query, manage columns and datasets. ingest: only send. read_only: only
    query. admin, operate: these rights in addition, which a key that only sends cannot have.
    """
    if ingest and (read_only or admin or operate):
        raise BadRequest(
            "an ingest key can only send events: it cannot also read, administer or operate"
        )
    if read_only and (admin or operate):
        raise BadRequest("a read-only key cannot administer or operate: make two keys")
    access = Access(
        events=not read_only,
        queries=not ingest,
        columns=not (ingest or read_only),
        create_datasets=create_datasets and not read_only,
        admin=admin,
        operate=operate,
    )
    return KeyKind.INGEST if ingest else KeyKind.CONFIGURATION, access


def _draw(alphabet: str, length: int, random_bytes: Callable[[int], bytes]) -> str:
    number = int.from_bytes(random_bytes(length * 2))  # wide: all letters equally likely
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        letters.append(alphabet[index])
    return "".join(letters)


def hash_key(key: str) -> str:
    """SHA-256 hex of the whole key text: what metadata and caches store."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class _Entry(msgspec.Struct, frozen=True):
    """A key as metadata last confirmed it.

    verified_ns: when, unix ns, for operators.
    unconfirmed_ns: for how long processes had served it since, when this was written.
    """

    key: ApiKey
    verified_ns: int
    unconfirmed_ns: int = 0


class _Known(msgspec.Struct, frozen=True):
    """An entry in use. since_ns: when it was confirmed (monotonic; before the start, if another
    process has served it since).
    """

    entry: _Entry
    since_ns: int


class KeyCache:
    """Keys as metadata last returned them: in memory, bounded, and optionally on disk (hashes
    only).

    A known key is looked up again after `KEY_FRESH_S`, while it remains usable; a request waits for
    the lookup only if the key was not confirmed for `KEY_UNASKED_S`. So a revoked key stops within
    a minute, and requests with keys in use never wait for a slow store. While metadata does not
    respond, an entry is used for up to `KEY_STALE_S` of process run time, independent of the wall
    clock and of downtime in between. It is also used while metadata lacks a key that it returned
    before: keys are revoked, never removed, so that database is another or an empty one.
    """

    def __init__(self, metadata: Metadata, clock: Clock, disk: Path | None = None) -> None:
        self._metadata = metadata
        self._clock = clock
        self._copy = None if disk is None else DiskCopy(disk, self._encode)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._unknown: OrderedDict[str, int] = OrderedDict()
        self._lookups: dict[str, asyncio.Task[ApiKey | None]] = {}
        self._noted_ns = clock.monotonic_ns()
        self._retry_after_ns = 0
        self._failing = False  # the last lookup got no response
        self._replaced: str | None = None
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="keys")
        self._load()

    @property
    def size(self) -> int:
        """Number of known keys: a cache of 0 means a cold process."""
        return len(self._known)

    @property
    def metadata_replaced(self) -> str | None:
        """The alarm's text while metadata does not know keys that it returned before, or None."""
        return self._replaced

    async def authenticate(self, key: str) -> ApiKey:
        """The key's record. Raises UnknownKey (401), or MetadataUnavailable (503) if that is
        unknown.

        Waits for metadata only when the key is not known or was last confirmed too long ago.
        """
        if not key or len(key) > limits.KEY_CHARS_MAX:
            raise UnknownKey
        return await self.authenticate_hash(hash_key(key))

    async def authenticate_hash(self, key_hash: str) -> ApiKey:
        """The same for a key that is known by its hash alone. Raises as `authenticate` does."""
        now_ns = self._clock.monotonic_ns()
        known = self._known.get(key_hash)
        if known is not None:
            self._known.move_to_end(key_hash)
            age_ns = now_ns - known.since_ns
            if age_ns < limits.KEY_FRESH_S * _SECOND_NS:
                return self._checked(known.entry.key, key_hash)
            if age_ns < limits.KEY_UNASKED_S * _SECOND_NS:
                self._confirm_in_background(key_hash)
                return self._checked(known.entry.key, key_hash)
            if self._failing and age_ns <= limits.KEY_STALE_S * _SECOND_NS:
                self._confirm_in_background(key_hash)
                return self._stale(known, key_hash, now_ns)
        elif now_ns - self._unknown.get(key_hash, -(2**62)) < limits.KEY_UNKNOWN_S * _SECOND_NS:
            raise UnknownKey
        try:
            found = await self._ask(key_hash, known=known is not None)
        except MetadataUnavailable:
            if known is None or now_ns - known.since_ns > limits.KEY_STALE_S * _SECOND_NS:
                raise
            return self._stale(known, key_hash, now_ns)
        if found is None:
            raise UnknownKey
        return self._checked(found, key_hash)

    def _stale(self, known: _Known, key_hash: str, now_ns: int) -> ApiKey:
        """A key that cannot be confirmed now; how long it has served so is saved periodically."""
        key_cache_stale_total.inc()
        if self._copy is not None and now_ns - self._noted_ns >= _NOTE_NS:
            self._noted_ns = now_ns
            self._copy.changed()
        return self._checked(known.entry.key, key_hash)

    def _checked(self, key: ApiKey, key_hash: str) -> ApiKey:
        if not hmac.compare_digest(key.hash, key_hash):
            raise UnknownKey
        return key

    async def _ask(self, key_hash: str, *, known: bool) -> ApiKey | None:
        """Look the key up in metadata, once at a time per key. Raises MetadataUnavailable."""
        if known and self._clock.monotonic_ns() < self._retry_after_ns:
            raise MetadataUnavailable("metadata did not answer a moment ago")
        task = self._lookup(key_hash)
        done, _ = await asyncio.wait({task}, timeout=limits.METADATA_TIMEOUT_S)
        if not done:
            self._retry_later()
            raise MetadataUnavailable("the metadata store does not answer; try again")
        return task.result()

    def _confirm_in_background(self, key_hash: str) -> None:
        """Have a known key confirmed without waiting for it."""
        busy = len(self._lookups) >= limits.KEY_LOOKUPS_MAX
        if not busy and self._clock.monotonic_ns() >= self._retry_after_ns:
            self._lookup(key_hash)

    def _lookup(self, key_hash: str) -> asyncio.Task[ApiKey | None]:
        """The lookup of this key that is in progress. Raises MetadataUnavailable."""
        task = self._lookups.get(key_hash)
        if task is None:
            if len(self._lookups) >= limits.KEY_LOOKUPS_MAX:
                raise MetadataUnavailable("too many unknown keys are being looked up")
            task = asyncio.create_task(self._look_up(key_hash))
            self._lookups[key_hash] = task
            task.add_done_callback(lambda done: self._looked_up(key_hash, done))
        return task

    def _retry_later(self) -> None:
        self._failing = True
        self._retry_after_ns = self._clock.monotonic_ns() + limits.METADATA_RETRY_S * _SECOND_NS

    async def _look_up(self, key_hash: str) -> ApiKey | None:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._metadata.find_key, key_hash)
        if found is None and key_hash in self._known:
            why = "metadata has lost a key that it knew; restore it: bellwether metadata restore"
            log_event(_logger, logging.ERROR, "THE METADATA IS ANOTHER ONE", why=why)
            self._replaced = why
            raise MetadataUnavailable(why)
        return None if found is None or found.revoked_ns else found

    def _looked_up(self, key_hash: str, task: asyncio.Task[ApiKey | None]) -> None:
        self._lookups.pop(key_hash, None)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            if isinstance(error, MetadataUnavailable):
                self._retry_later()
            else:
                log_event(
                    _logger, logging.ERROR, "a key lookup failed", error=describe_error(error)
                )
            return  # callers that wait for the task receive the error
        self._retry_after_ns = 0
        self._failing = False
        found = task.result()
        if found is None:
            self._known.pop(key_hash, None)
            self._unknown[key_hash] = self._clock.monotonic_ns()
            if len(self._unknown) > limits.KEY_CACHE_ENTRIES_MAX:
                self._unknown.popitem(last=False)
        else:
            self._unknown.pop(key_hash, None)
            if key_hash in self._known:
                self._replaced = None
            entry = _Entry(found, self._clock.now_ns())
            self._known[key_hash] = _Known(entry, self._clock.monotonic_ns())
            if len(self._known) > limits.KEY_CACHE_ENTRIES_MAX:
                self._known.popitem(last=False)
        if self._copy is not None:
            self._copy.changed()

    def _encode(self) -> bytes:
        now_ns = self._clock.monotonic_ns()
        return msgspec.json.encode(
            [
                _Entry(one.entry.key, one.entry.verified_ns, now_ns - one.since_ns)
                for one in self._known.values()
            ]
        )

    def _load(self) -> None:
        stored = self._copy.load() if self._copy is not None else b""
        if not stored:
            return
        try:
            entries = msgspec.json.decode(stored, type=list[_Entry])
        except msgspec.DecodeError as error:
            log_event(
                _logger, logging.WARNING, "key cache on disk cannot be read", error=str(error)
            )
            return
        for entry in entries[-limits.KEY_CACHE_ENTRIES_MAX :]:
            # it was confirmed before this process began: metadata is asked before it serves
            age_ns = max(entry.unconfirmed_ns, limits.KEY_UNASKED_S * _SECOND_NS) + _NOTE_NS
            self._known[entry.key.hash] = _Known(entry, self._clock.monotonic_ns() - age_ns)

    async def close(self) -> None:
        """Write what is not yet on disk and release the threads."""
        if self._copy is not None:
            await self._copy.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
