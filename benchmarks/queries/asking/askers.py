"""Askers in a process of their own, which ask one question after the other until they are told to
stop: the time that they take to read answers is no part of what is measured beside them.

`python -m benchmarks.queries.asking.askers` reads an `Asking` from its standard input, a line of
JSON, asks until the input ends, and writes what it found.
"""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.queries.asking.asked import TABLE
from benchmarks.queries.asking.spans import EIGHT
from benchmarks.queries.engines.interface import NoAnswer
from benchmarks.queries.engines.ours import Bellwether
from benchmarks.queries.rows.shape import Shape
from benchmarks.two_builds import ROOT, Installation

_NICE = 5  # askers are usually on other machines


class Asking(msgspec.Struct, frozen=True):
    """Who asks what: so many threads, each with one question of the eight after the other."""

    url: str
    key: str
    shape: Shape
    askers: int
    seed: int


class Answered(msgspec.Struct):
    """Seconds that answers took, and refusals as told."""

    answers: list[float] = []
    refusals: list[str] = []


@contextmanager
def asking(wanted: Asking) -> Iterator[Answered]:
    """Askers during the block; what they found is there at its end. None ask with 0 askers."""
    found = Answered()
    if not wanted.askers:
        yield found
        return
    process = subprocess.Popen(
        [sys.executable, "-m", __spec__.name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None
    try:
        process.stdin.write(msgspec.json.encode(wanted) + b"\n")
        process.stdin.flush()
        yield found
        told, _ = process.communicate()
    except BaseException:
        process.kill()
        process.wait()
        raise
    ended = msgspec.json.decode(told, type=Answered)
    found.answers, found.refusals = ended.answers, ended.refusals


def ask_until(wanted: Asking, ended: threading.Event) -> Answered:
    """Ask until the event is set and every question is answered."""
    found = Answered()
    one = Installation("asked", ROOT, Path(), url=wanted.url, key=wanted.key)
    build = Bellwether("asked", one, TABLE)

    def ask(number: int) -> None:
        dice = random.Random(wanted.seed * 1_000 + number)
        while not ended.is_set():
            asked = EIGHT[dice.randrange(len(EIGHT))].ask(dice, wanted.shape)
            try:
                found.answers.append(build.ask(asked, False)[1] / 1e9)
            except NoAnswer as error:
                found.refusals.append(str(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(wanted.askers)]
    for each in threads:
        each.start()
    ended.wait()
    for each in threads:
        each.join()
    return found


def main() -> None:
    """See the module."""
    os.nice(_NICE)
    wanted = msgspec.json.decode(sys.stdin.buffer.readline(), type=Asking)
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    sys.stdout.buffer.write(msgspec.json.encode(ask_until(wanted, ended)))


if __name__ == "__main__":
    main()
