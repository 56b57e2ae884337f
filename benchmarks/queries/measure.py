"""Asking every engine every question, in turn, and comparing the answers before times count."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.queries.asking.asked import Asked, Question
from benchmarks.queries.asking.compare import difference
from benchmarks.queries.engines.interface import Engine, NoAnswer, Rows
from benchmarks.queries.engines.peers import ENGINES, asks_at_once
from benchmarks.queries.engines.victorialogs import VICTORIALOGS
from benchmarks.queries.meter import Processes, drop_from_page_cache
from benchmarks.queries.prepare import THIS
from benchmarks.queries.results import AtOnce, Measured, Memory, Sampled
from benchmarks.queries.rows.shape import Shape

_WARM_UP = 2  # questions of each kind that are compared and not timed
_IDLE_S = 2.0
_PER_ASKER = 6  # questions of each of several askers


@dataclass(frozen=True, slots=True)
class Rounds:
    """How to ask. cold: files are dropped from the page cache before each question.

    askers: numbers of askers at once for the first question, beside one at a time.
    """

    rounds: int
    seed: int
    cold: bool = False
    askers: tuple[int, ...] = ()
    say: Callable[[str], None] = print


@dataclass(slots=True)
class _Found:
    samples: list[Sampled] = field(default_factory=list)
    problem: str = ""


class Measuring:
    """Engines under measurement."""

    def __init__(self, engines: Sequence[Engine], shape: Shape, rounds: Rounds) -> None:
        self._engines = engines
        self._shape = shape
        self._rounds = rounds
        self._dice = random.Random(rounds.seed)
        self._processes = {one.name: Processes(one.pids()) for one in engines}
        for each in self._processes.values():
            each.reset_peaks()
        before = {name: each.sample() for name, each in self._processes.items()}
        time.sleep(_IDLE_S)
        self._idle = {
            name: (each.sample().cpu_ns - before[name].cpu_ns) / _IDLE_S / 1e6
            for name, each in self._processes.items()
        }

    def memory(self) -> list[Memory]:
        """Peaks since the beginning, and what was used before the first question."""
        return [
            Memory(name, each.peak_bytes(), self._idle[name])
            for name, each in self._processes.items()
        ]

    def ask_all(self, questions: Sequence[Question]) -> list[Measured]:
        """Every question, each time another one, of all engines in random order."""
        return [one for question in questions for one in self._ask(question)]

    def ask_at_once(self, question: Question) -> list[AtOnce]:
        """One kind of question by several askers at once, of the engines that can."""
        found: list[AtOnce] = []
        for askers in self._rounds.askers:
            for one in self._engines:
                if one.name in ENGINES and not asks_at_once(one.name):
                    continue
                asked = [question.ask(self._dice, self._shape) for _ in range(askers * _PER_ASKER)]
                before = self._processes[one.name].sample()
                waits_ns = one.ask_at_once(asked, askers, False)
                after = self._processes[one.name].sample()
                spent = after.cpu_ns - before.cpu_ns, after.clock_ns - before.clock_ns
                found.append(AtOnce(question.name, one.name, askers, waits_ns, *spent))
        return found

    def _ask(self, question: Question) -> list[Measured]:
        self._rounds.say(question.name)
        some = [one for one in self._engines if one.name != VICTORIALOGS or question.kind == "logs"]
        found = {one.name: _Found() for one in some}
        estimates = False
        for number in range(_WARM_UP + self._rounds.rounds):
            asked = question.ask(self._dice, self._shape)
            if not number:
                estimates = _estimates(some, asked)
            answers: dict[str, Rows] = {}
            for one in self._dice.sample(some, len(some)):
                mine = found[one.name]
                if mine.problem:
                    continue
                try:
                    answers[one.name], sampled = self._sample(one, asked, estimates)
                except NoAnswer as error:
                    mine.problem = str(error)
                    continue
                if number >= _WARM_UP:
                    mine.samples.append(sampled)
                else:
                    self._processes[one.name].find()
            _compare(asked, answers, found, estimates)
        return [
            Measured(
                question.name, name, [] if one.problem else one.samples, one.problem, estimates
            )
            for name, one in found.items()
        ]

    def _sample(self, one: Engine, asked: Asked, estimates: bool) -> tuple[Rows, Sampled]:
        if self._rounds.cold:
            drop_from_page_cache(one.files())
        processes = self._processes[one.name]
        before = processes.sample()
        rows, clock_ns = one.ask(asked, estimates)
        after = processes.sample()
        spent = after.cpu_ns - before.cpu_ns, after.read_bytes - before.read_bytes
        return rows, Sampled(clock_ns, *spent)


def _estimates(some: Sequence[Engine], asked: Asked) -> bool:
    """Whether Bellwether's answer is an estimate: then the others may estimate too."""
    peer = next((one for one in some if one.name in ENGINES), None)
    if not asked.error or peer is None:
        return False
    mine = next(one for one in some if one.name == THIS)
    try:
        exact, _ = peer.ask(asked, False)
        return difference(asked, mine.ask(asked, False)[0], exact, False) != ""
    except NoAnswer:
        return False


def _compare(
    asked: Asked, answers: dict[str, Rows], found: dict[str, _Found], estimates: bool
) -> None:
    """Every answer with that of this build; one that differs has no figures."""
    if THIS not in answers:
        return
    for name, rows in answers.items():
        if name != THIS and (what := difference(asked, rows, answers[THIS], estimates)):
            found[name].problem = found[name].problem or f"differs from {THIS}: {what}"
