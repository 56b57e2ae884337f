"""One load: from an opened source to batches, with the saved states of earlier loads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from bellwether.send.deliver.batches import BATCH_LIMITS, Batch, BatchLimits, batches
from bellwether.send.event import Parsed
from bellwether.send.files.resume import (
    BORDERS_MAX,
    EarlierLoads,
    LoadState,
    find_earlier,
    head_digest,
    new_key,
    read_states,
    scope_of,
    state_file,
    state_folder,
)
from bellwether.send.files.source import HEAD_BYTES, Source
from bellwether.send.files.whole import unread, whole_events
from bellwether.send.formats.registry import format_named
from bellwether.send.prepare.prepare import SAMPLE_EVENTS, Choices, Ready, prepare
from bellwether.send.sanity_check import CHECKED_EVENTS, refusal_reason, take_first

if TYPE_CHECKING:
    from bellwether.send.deliver.sender import Progress

# The store remembers a batch's id for at least 45 minutes: until then a file that is sent again
# is stored once
REPEAT_SAFE_S = 45 * 60


class LoadRefused(Exception):
    """The load should not begin with these options; the text has the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options of one load.

    load_id: the id in its events, None for the load's key.
    no_load_id: put no id into its events.
    """

    dataset: str
    url: str
    kind: str
    choices: Choices
    resume: bool = False
    again: bool = False
    skip_bad: bool = False
    load_id: str | None = None
    no_load_id: bool = False

    def scope(self) -> str:
        """A digest of what a load must have in common with an earlier one to resume it."""
        return scope_of(self.dataset, self.url, *self._same())

    def key_parts(self) -> tuple[str, ...]:
        """The options in which two loads of one file may differ."""
        return (self.dataset, *self._same())

    def _same(self) -> tuple[str, ...]:
        return (self.kind, self.choices.fingerprint(), repr(self.load_id), str(self.no_load_id))


@dataclass(slots=True)
class Load:
    """A load that can begin.

    load_id: the id in its events, None for none.
    before: the state that it resumes from, None to begin at the file's start.
    is_other: states are saved of other files that begin like this one.
    """

    source: Source
    options: LoadOptions
    key: str
    load_id: str | None
    before: LoadState | None
    is_other: bool
    state_path: Path | None
    _borders: tuple[int, ...]
    _head_bytes: int
    _now_s: Callable[[], float] = field(repr=False)
    _digest: str = field(default_factory=lambda: hashlib.sha256().hexdigest())
    _ends: dict[int, str] = field(default_factory=dict, repr=False)

    def events(self) -> Iterator[Ready]:
        """Every new event. Raises LoadRefused where the first ones fail the sanity check."""
        known = format_named(self.options.kind)
        parsed = parsed_of(self.source, self.options, self._known_borders())
        sample = take_first(parsed, SAMPLE_EVENTS)
        parsed = chain(sample, parsed)
        if self.before is not None:
            parsed = unread(parsed, self.before, known.ends_itself)
        now_ns = int(self._now_s() * 1e9)
        ready = prepare(parsed, self.options.choices, now_ns, self.load_id, sample)
        looked_at = take_first(ready, CHECKED_EVENTS)
        reason = refusal_reason(looked_at, self.options.skip_bad)
        if reason is not None:
            raise LoadRefused(reason)
        return chain(looked_at, ready)

    def _known_borders(self) -> frozenset[int]:
        before = () if self.before is None else (self.before.offset,)
        return frozenset((*self._borders, *before))

    def batches(
        self, events: Iterator[Ready], limits: BatchLimits = BATCH_LIMITS
    ) -> Iterator[Batch]:
        """The events in batches; the hash of the file up to each batch's end is kept."""
        start = self.before.offset if self.before is not None else 0
        seed = f"{self.key}\n{self.load_id}"
        for batch in batches(events, seed, start, self._borders, limits):
            digest = self.source.prefix.digest_at(batch.end)
            if digest is not None:
                self._ends[batch.end] = digest
            yield batch

    def state(self, progress: Progress, ended: bool) -> LoadState | None:
        """The state to save now; None if the offset is not known to the byte."""
        before = self.before
        offset = progress.offset
        if offset == 0:
            offset = before.offset if before is not None else 0
            digest = before.digest if before is not None else self._digest
        elif offset in self._ends:
            digest = self._ends[offset]
            for end in [e for e in self._ends if e < offset]:
                del self._ends[end]
        else:
            return None
        line, cut = progress.line, None
        if ended and self.source.prefix.length == offset:
            cut = None if self.source.prefix.last == b"\n" else progress.last_bytes
        if progress.offset == 0 and before is not None:
            line, cut = before.line, before.cut_bytes
        borders = set(self._known_borders())
        if ended and offset:
            borders.add(offset)
        return LoadState(
            key=self.key,
            name=self.source.name,
            head_bytes=self._head_bytes,
            head=head_digest(self.source.head[: self._head_bytes]),
            offset=offset,
            digest=digest,
            line=line,
            cut_bytes=cut,
            accepted=progress.accepted + (before.accepted if before is not None else 0),
            rejected=progress.rejected + (before.rejected if before is not None else 0),
            answered_s=int(self._now_s()),
            borders=tuple(sorted(borders)[-BORDERS_MAX:]),
        )


def begin(
    source: Source,
    options: LoadOptions,
    environ: Mapping[str, str],
    reopen: Callable[[], Source],
    now_s: Callable[[], float],
    nonce: Callable[[], str],
) -> Load:
    """Prepare a load. `nonce` returns a text that is never the same twice, for the key of a load
    that must differ from every other. Raises LoadRefused, SourceError.
    """
    folder, scope = state_folder(environ), options.scope()
    head = source.head[:HEAD_BYTES]
    known = EarlierLoads(None, frozenset())
    if source.resumable and not options.again:
        known = find_earlier(read_states(folder, scope), head, reopen)
    elif options.resume:
        raise LoadRefused("--resume needs a file: what comes through a pipe cannot be read twice")
    state = known.state
    if state is not None:
        key = state.key
    else:
        once = (nonce(),) if options.again or not source.resumable else ()
        key = new_key(head, known.taken, *options.key_parts(), *once)
    if state is not None and not options.resume and state.accepted:
        age_s = now_s() - state.answered_s
        if age_s > REPEAT_SAFE_S:
            raise LoadRefused(
                f"{state.accepted:,} events of this file were stored in {options.dataset} "
                f"{age_s / 3600:.1f} hours ago (load {state.key}). --resume stores what was added "
                "since then, --again stores all of it once more"
            )
    return Load(
        source=source,
        options=options,
        key=key,
        load_id=None if options.no_load_id else options.load_id or key,
        before=state if options.resume else None,
        is_other=bool(known.taken) and state is None,
        state_path=state_file(folder, scope, key) if source.resumable else None,
        _borders=state.borders if state is not None else (),
        _head_bytes=state.head_bytes if state is not None else len(head),
        _now_s=now_s,
    )


def parsed_of(
    source: Source, options: LoadOptions, borders: frozenset[int] = frozenset()
) -> Iterator[Parsed]:
    """The events of a source. borders: where earlier loads of it ended."""
    known = format_named(options.kind)
    read = known.reader_for(source.head, replace(options.choices.options, borders=borders))
    return whole_events(read(source.stream), source, known.ends_itself)
