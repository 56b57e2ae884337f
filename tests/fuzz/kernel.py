"""A kernel against its reference under a fuzzer: `python -m tests.fuzz.kernel --seconds 600`.

`--kernel` chooses one of tests/fuzz/targets.py: the shredder, the splitter of JSON or of msgpack,
the transcoder of OTLP/JSON, the decoder of OTLP in protobuf.

Guided by coverage of the compiled code (`coverage`), with every access to memory verified and with
tables and limits so small that all are met. Anything that is not byte for byte what the reference
gives ends it, with the smallest input found that still differs. An input that reaches a branch as
often as none before is kept as a parent of others; `--corpus FOLDER` keeps them for the next time.

Atheris and other fuzzers for Python are not used: they see bytecode, which a kernel has none of.
"""

import argparse
import hashlib
import random
import sys
import time
from pathlib import Path

import numpy as np

from tests.fuzz.coverage import MAP_BYTES, counters
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS, Case, Check, Target, prepare
from tests.kernel_cache import KERNEL_CACHE

_BUCKETS = np.array(
    [0] + [1 << min(7, count.bit_length() - 1) for count in range(1, 256)], np.uint8
)


class Fuzzer:
    """Inputs, what they reached, and the comparison."""

    def __init__(self, dice: random.Random, target: Target, check: Check) -> None:
        self._dice = dice
        self._target = target
        self._check = check
        self._counters = counters()
        self._seen = np.zeros(MAP_BYTES, np.uint8)
        self.corpus: list[Case] = []
        self.tried = 0

    @property
    def reached(self) -> int:
        """Branches that were taken at all."""
        return int((self._seen != 0).sum())

    def run(self, case: Case) -> bool:
        """Try it; whether it reached something new. Raises AssertionError where results differ."""
        self._counters[:] = 0
        self._check(case)
        self.tried += 1
        bits = _BUCKETS[self._counters]
        if not (bits & ~self._seen).any():
            return False
        self._seen |= bits
        self.corpus.append(case)
        return True

    def next(self) -> Case:
        """A changed input; the youngest parents are chosen more often."""
        dice = self._dice
        if (made := self._target.fresh(dice)) is not None:
            return made
        at = max(dice.randrange(len(self.corpus)), dice.randrange(len(self.corpus)))
        depth, text = self.corpus[at]
        texts = [text for _, text in self.corpus]
        if dice.random() < 0.1:
            depth = dice.choice(self._target.setting.depths)
        return depth, mutated(dice, text, texts, self._target.setting.bytes_max)

    def smallest(self, case: Case) -> Case:
        """A smaller input that still fails."""
        depth, text = case
        size = len(text) // 2
        while size:
            at = 0
            while at < len(text):
                shorter = text[:at] + text[at + size :]
                if self._fails((depth, shorter)):
                    text = shorter
                else:
                    at += size
            size //= 2
        return depth, text

    def _fails(self, case: Case) -> bool:
        try:
            self._check(case)
        except Exception:  # noqa: BLE001 - whatever it is, it is being made smaller
            return True
        return False


def main() -> int:
    """Fuzz for so long; 1 if the kernel differs from the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", choices=TARGETS, default="shredder")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--corpus", type=Path, help="folder of inputs, read and added to")
    parser.add_argument("--cache", type=Path, default=KERNEL_CACHE, help="folder of compiled code")
    given = parser.parse_args()
    target = TARGETS[given.kernel]()
    check = prepare(target, given.cache)
    fuzzer = Fuzzer(random.Random(given.seed), target, check)
    first = list(target.samples())
    if given.corpus:
        given.corpus.mkdir(parents=True, exist_ok=True)
        for kept in sorted(given.corpus.iterdir()):
            first.append((int(kept.name.split("-")[0]), kept.read_bytes()))
    case = first[0]
    check(case)  # compiles most
    end_s = time.monotonic() + given.seconds
    try:
        for case in first:
            fuzzer.run(case)
        while time.monotonic() < end_s:
            case = fuzzer.next()
            if fuzzer.run(case) and given.corpus:
                name = f"{case[0]}-{hashlib.sha256(case[1]).hexdigest()[:16]}"
                (given.corpus / name).write_bytes(case[1])
    except Exception as error:  # noqa: BLE001 - said, and ends it
        depth, text = fuzzer.smallest(case)
        print(f"seed {given.seed}: {type(error).__name__}: {str(error)[:2000]}", file=sys.stderr)
        print(f"found with depth {case[0]}, lines {case[1]!r}", file=sys.stderr)
        print(f"smallest: depth {depth}, lines {text!r}", file=sys.stderr)
        return 1
    print(f"{fuzzer.tried} inputs, {fuzzer.reached} branches, {len(fuzzer.corpus)} kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
