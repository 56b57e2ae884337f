"""Asking every engine every question, in turn, and comparing the answers before times count."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.queries.compare import difference
from benchmarks.queries.engine import Engine, NoAnswer, Rows
from benchmarks.queries.meter import Processes
from benchmarks.queries.prepare import THIS
from benchmarks.queries.questions import Asked, Question
from benchmarks.queries.results import Measured, Memory, Sampled
from benchmarks.queries.rows import Shape

WARM_UP = 2  # questions of each kind that are compared and not timed


@dataclass(slots=True)
class _Found:
    samples: list[Sampled] = field(default_factory=list)
    problem: str = ""


def ask_all(
    some: Sequence[Engine],
    questions: Sequence[Question],
    shape: Shape,
    rounds: int,
    seed: int,
    say: Callable[[str], None],
) -> tuple[list[Measured], list[Memory]]:
    """Every question `rounds` times; each time another one, of all engines in random order."""
    dice = random.Random(seed)
    processes = {one.name: Processes(one.pids()) for one in some}
    for each in processes.values():
        each.reset_peaks()
    results: list[Measured] = []
    for question in questions:
        say(question.name)
        results += _ask(some, question, shape, rounds, dice, processes)
    return results, [Memory(name, each.peak_bytes()) for name, each in processes.items()]


def _ask(
    some: Sequence[Engine],
    question: Question,
    shape: Shape,
    rounds: int,
    dice: random.Random,
    processes: dict[str, Processes],
) -> list[Measured]:
    found = {one.name: _Found() for one in some}
    estimates = False
    for number in range(WARM_UP + rounds):
        asked = question.ask(dice, shape)
        if not number:
            estimates = _estimates(some, asked)
        answers: dict[str, Rows] = {}
        for one in dice.sample(list(some), len(some)):
            mine = found[one.name]
            if mine.problem:
                continue
            before = processes[one.name].sample()
            try:
                answers[one.name], clock_ns = one.ask(asked, estimates)
            except NoAnswer as error:
                mine.problem = str(error)
                continue
            after = processes[one.name].sample()
            if number >= WARM_UP:
                used = after.cpu_ns - before.cpu_ns
                mine.samples.append(Sampled(clock_ns, used, after.read_bytes - before.read_bytes))
            else:
                processes[one.name].find()
        _compare(asked, answers, found, estimates)
    return [
        Measured(question.name, name, [] if one.problem else one.samples, one.problem, estimates)
        for name, one in found.items()
    ]


def _estimates(some: Sequence[Engine], asked: Asked) -> bool:
    """Whether Bellwether's answer is an estimate: then the others may estimate too."""
    if not asked.error:
        return False
    mine = next(one for one in some if one.name == THIS)
    peer = next((one for one in some if not one.name.startswith(THIS)), None)
    if peer is None:
        return False
    exact, _ = peer.ask(asked, False)
    return difference(asked, mine.ask(asked, False)[0], exact, False) != ""


def _compare(
    asked: Asked, answers: dict[str, Rows], found: dict[str, _Found], estimates: bool
) -> None:
    """Every answer with that of this build; one that differs has no figures."""
    if THIS not in answers:
        return
    for name, rows in answers.items():
        if name != THIS and (what := difference(asked, rows, answers[THIS], estimates)):
            found[name].problem = found[name].problem or f"differs from {THIS}: {what}"
