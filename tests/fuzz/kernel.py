"""The kernel against the reference under a fuzzer: `python -m tests.fuzz.kernel --seconds 600`.

Guided by coverage of the compiled code (`coverage`), with every access to memory verified and with
tables so small that all of them fill up. Anything that is not byte for byte what the reference
gives ends it, with the smallest input found that still differs. An input that reaches a branch as
often as none before is kept as a parent of others; `--corpus FOLDER` keeps them for the next time.

Atheris and other fuzzers for Python are not used: they see bytecode, which a kernel has none of.
"""

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from common import limits
from common.scan.kernel.build import options
from indexer.shred.ahead import use_cache
from indexer.shred.interface import Shredder, ShredInput
from tests.fuzz import coverage
from tests.fuzz.coverage import MAP_BYTES, count_branches_of, counters
from tests.fuzz.mutate import mutated
from tests.kernel_cache import KERNEL_CACHE

SMALL = {
    "ROWS_MAX": 16, "CELLS_MAX": 64, "NAMES_MAX": 32, "ARENA_BYTES": 1_024, "HANDED_MAX": 6,
    "HANDED_FEW": 4, "TEXT_BYTES": 2_048, "PROBES_MAX": 6, "_NAME_BYTES_MAX": 60,
}  # fmt: skip
INPUT_BYTES_MAX = 4_000
_BUCKETS = np.array(
    [0] + [1 << min(7, count.bit_length() - 1) for count in range(1, 256)], np.uint8
)
_DEPTHS = (0, 0, 0, 1, 1, 2, 5, 10, 300)
Case = tuple[int, bytes]


def samples() -> Iterator[Case]:
    """Depth and lines to begin with."""
    from tests.generate import wide_lines
    from tests.indexer.kernel.same import line
    from tests.indexer.test_shred import FACTS, REFUSED
    from tests.scan.json_vectors import VECTORS
    from tests.scan.kernel.test_numbers import NOT_NUMBERS, TORTURE
    from tests.scan.kernel.test_strings import HARD

    yield 0, b"".join(wide_lines(1))
    for source, depth, _ in FACTS:
        yield depth, line(source.encode()) + line(b'{"a":1}')
    for source in REFUSED:
        yield 1, line(source.encode())
    texts = [
        *(text for _, _, text in VECTORS if len(text) < 1000),
        *(b'"%b"' % one for one in HARD),
    ]
    texts += [text.encode() for text in (*TORTURE, *NOT_NUMBERS)]
    for at, text in enumerate(texts):
        yield at % 3, line(b'{"a":%b,"b":{"c":[%b]}}' % (text, text))
    yield 0, b"".join(line(b'{"n%d":%d,"n%d":"x"}' % (n, n, n + 1)) for n in range(40))
    yield 0, line(b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}') * 14  # all cells of a pass
    yield 2, line(b'{"a":{"b":{"c":1},"d":[ {} , 1 ]},"a.b":2}') * 20
    yield 1, line(b'{"kkkkkkkkkkkkkkkkkk":{"a":1,"b":null,"b":2},"n":{}}') * 3  # 60 bytes of names


class Fuzzer:
    """Inputs, what they reached, and the comparison."""

    def __init__(self, dice: random.Random, check: Callable[[list[ShredInput]], object]) -> None:
        self._dice = dice
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
        self._check(_records(case))
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
        at = max(dice.randrange(len(self.corpus)), dice.randrange(len(self.corpus)))
        depth, text = self.corpus[at]
        texts = [text for _, text in self.corpus]
        if dice.random() < 0.1:
            depth = dice.choice(_DEPTHS)
        return depth, mutated(dice, text, texts, INPUT_BYTES_MAX)

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
            self._check(_records(case))
        except Exception:  # noqa: BLE001 - whatever it is, it is being made smaller
            return True
        return False


def _records(case: Case) -> list[ShredInput]:
    """The input as one record, and as two where a line ends in the middle of it."""
    from tests.generate import START_NS

    depth, text = case
    half = text.find(b"\n", len(text) // 2) + 1
    parts = [text] if len(text) & 1 else [text[:half], text[half:]]
    return [ShredInput(at, START_NS + at, depth, part) for at, part in enumerate(parts)]


def _prepare(cache: Path) -> Shredder:
    options.checked = True
    vars(limits)["UNPACKED_NAME_BYTES_MAX"] = SMALL["_NAME_BYTES_MAX"]  # the reference's own
    count_branches_of(["common.scan.kernel", "indexer.shred.kernel"], SMALL)
    made = repr(SMALL).encode() + Path(coverage.__file__).read_bytes()
    use_cache(cache / f"fuzzed-{hashlib.sha256(made).hexdigest()[:8]}")
    from indexer.shred.kernel.shredder import KernelShredder

    return KernelShredder((0x0123456789ABCDEF, 0x1F3D5B79A2C4E6F8))


def main() -> int:
    """Fuzz for so long; 1 if the kernel differs from the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--corpus", type=Path, help="folder of inputs, read and added to")
    parser.add_argument("--cache", type=Path, default=KERNEL_CACHE, help="folder of compiled code")
    given = parser.parse_args()
    kernel = _prepare(given.cache)
    from tests.indexer.kernel.same import assert_same

    def check(records: list[ShredInput]) -> None:
        assert_same(kernel, records)
        assert kernel.intact(), "written beside a table"  # type: ignore[attr-defined]

    fuzzer = Fuzzer(random.Random(given.seed), check)
    check([])  # compiles most
    first = list(samples())
    if given.corpus:
        given.corpus.mkdir(parents=True, exist_ok=True)
        for kept in sorted(given.corpus.iterdir()):
            first.append((int(kept.name.split("-")[0]), kept.read_bytes()))
    end_s = time.monotonic() + given.seconds
    case = first[0]
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
