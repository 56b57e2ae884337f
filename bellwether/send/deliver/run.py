"""Run a load: send its batches, show progress, save its state, and print its outcome."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import orjson

from bellwether.client import ClientError, Target
from bellwether.output import error_console
from bellwether.send.deliver.batches import Batch
from bellwether.send.deliver.report import Outcome, print_outcome
from bellwether.send.event import UnknownFormat
from bellwether.send.files.resume import remove_oldest, write_state
from bellwether.send.load import Load, LoadRefused
from common.clock import Clock, SystemClock

if TYPE_CHECKING:
    from bellwether.send.deliver.sender import Progress, Reject

# Events come and go by the thousand and hold no circles: looking for some in each few hundred
# objects would cost as much as reading them.
GC_OBJECTS = 100_000
STATE_EVERY_NS = 10**9  # a load that is killed repeats no more than this, under the same batch ids


async def run(load: Load, target: Target, rejects: IO[bytes] | None) -> int:
    """Send everything and print the outcome; returns the exit code. Raises ClientError if the load
    should not begin.
    """
    from bellwether.client.session import connect
    from bellwether.send.deliver.sender import Sender, SendFailed

    gc.set_threshold(GC_OBJECTS, 20, 100)
    clock = SystemClock()
    outcome = Outcome(rejects_written=rejects is not None)
    states = _StateWriter(load, clock)

    def on_reject(reject: Reject) -> None:
        outcome.add(reject)
        if rejects is not None:
            entry = {"line": reject.line, "reason": reject.reason}
            text = reject.source.decode("utf-8", "replace")
            rejects.write(orjson.dumps({**entry, "source": text}) + b"\n")

    with _progress_bar(load) as show:

        def on_progress(counts: Progress) -> None:
            show(counts)
            states.save(counts)

        async with connect(target) as client:
            sender = Sender(
                client, load.options.dataset, clock, random.Random(), on_reject, on_progress,
                stop_if_refused=not load.options.skip_bad,
            )  # fmt: skip
            try:
                await sender.send_all(_batches(load))
            except LoadRefused as error:
                raise ClientError(str(error)) from error
            except (SendFailed, ClientError, UnknownFormat) as error:
                outcome.failed = str(error)
            except asyncio.CancelledError:  # Ctrl-C
                outcome.failed = "interrupted"
                states.finish(sender.progress, outcome)
                print_outcome(load, sender.progress, outcome)
                raise
    states.finish(sender.progress, outcome)
    print_outcome(load, sender.progress, outcome)
    return outcome.exit_code(load, sender.progress)


def _batches(load: Load) -> Iterator[Batch]:
    """Lazily: reading the file belongs to the thread that makes batches."""
    yield from load.batches(load.events())


class _StateWriter:
    """Saves the load's state: each second, and at its end."""

    def __init__(self, load: Load, clock: Clock) -> None:
        self._load = load
        self._clock = clock
        self._saved_ns = 0
        self._error: str | None = None

    def save(self, counts: Progress) -> None:
        """Save how far the load is, if it is time to."""
        now_ns = self._clock.now_ns()
        if now_ns - self._saved_ns >= STATE_EVERY_NS:
            self._saved_ns = now_ns
            self._write(counts, ended=False)

    def finish(self, counts: Progress, outcome: Outcome) -> None:
        """Save how the load ended."""
        ended = outcome.failed is None
        outcome.damage = self._load.source.damage() if ended else None
        outcome.state_kept = self._write(counts, ended=ended)
        outcome.state_error = self._error

    def _write(self, counts: Progress, ended: bool) -> bool:
        path = self._load.state_path
        state = self._load.state(counts, ended) if path is not None else None
        if path is None or state is None or self._error is not None:
            return False
        try:
            write_state(path, state)
            if ended:
                remove_oldest(path.parent)
        except OSError as error:  # the load itself needs no state
            self._error = f"{path.parent}: {error.strerror}"
            return False
        return True


@contextmanager
def _progress_bar(load: Load) -> Iterator[Callable[[Progress], None]]:
    """A bar of progress on a terminal, nothing elsewhere."""
    console = error_console()
    if not console.is_terminal:
        yield lambda counts: None
        return
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[counts]}"),
        console=console,
        transient=True,
    ) as bar:
        source = load.source
        task = bar.add_task(escape(source.name), total=source.size_bytes, counts="")

        def show(counts: Progress) -> None:
            lost = f", {counts.rejected:,} not" if counts.rejected else ""
            text = f"{counts.accepted:,} stored{lost}"
            bar.update(task, completed=source.read_bytes, counts=text)

        yield show
