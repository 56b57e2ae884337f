"""What is fuzzed: a kernel, what to begin with, and how it is held against its reference.

Tables of the kernels, and limits of events, are made small before anything is imported that reads
them: limits for the reference too, so that both must agree at and beyond each.
"""

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

import common.scan.kernel
import indexer.shred.kernel
import shepherd.honeycomb.split.kernel
import shepherd.honeycomb.split.kernel.msgpack
import shepherd.otlp.decode.kernel
import shepherd.otlp.json.kernel
from common import limits
from common.kernels.compile import options
from common.kernels.precompile import use_cache
from tests.fuzz import coverage

Case = tuple[int, bytes]  # the depth, and lines of a record or a body
Check = Callable[[Case], object]  # raises where results differ
_TEXT_MAX = 1_000  # longer vectors are left out
_MADE_ANEW = 0.2  # of the inputs in msgpack: what is damaged is mostly no msgpack


@dataclass(frozen=True, slots=True)
class Setting:
    """small: constants of the packages' modules; limits: of `common.limits`; depths: of inputs."""

    packages: Sequence[ModuleType]
    small: Mapping[str, int]
    limits: Mapping[str, int]
    depths: Sequence[int]
    bytes_max: int


class Target(Protocol):
    """A kernel to fuzz."""

    @property
    def setting(self) -> Setting:
        """How it is compiled, and what inputs may be."""

    def samples(self) -> Iterator[Case]:
        """Inputs to begin with."""

    def fresh(self, dice: random.Random) -> Case | None:
        """Now and then an input that is made of no other."""

    def check(self) -> Check:
        """How an input is tried; the kernel is imported here."""


def prepare(target: Target, cache: Path) -> Check:
    """Have the kernel compiled with branches counted, every access verified, and all small."""
    chosen = target.setting
    options.checked = True
    vars(limits).update(chosen.limits)
    coverage.count_branches_of([package.__name__ for package in chosen.packages], chosen.small)
    made = repr((chosen.small, chosen.limits)).encode() + Path(coverage.__file__).read_bytes()
    use_cache(cache / f"fuzzed-{hashlib.sha256(made).hexdigest()[:8]}", chosen.packages)
    return target.check()


def _json_events() -> Iterator[Case]:
    """Events with all that parsers of JSON find hard."""
    from tests.common.scan.json_vectors import VECTORS
    from tests.common.scan.kernel.test_numbers import NOT_NUMBERS, TORTURE
    from tests.common.scan.kernel.test_strings import HARD
    from tests.indexer.shred.test_shred import FACTS, REFUSED

    for source, depth, _ in FACTS:
        yield depth, source.encode()
    for source in REFUSED:
        yield 1, source.encode()
    texts = [text for _, _, text in VECTORS if len(text) < _TEXT_MAX]
    texts += [b'"%b"' % one for one in HARD]
    texts += [text.encode() for text in (*TORTURE, *NOT_NUMBERS)]
    for at, text in enumerate(texts):
        yield at % 3, b'{"a":%b,"b":{"c":[%b]}}' % (text, text)


class ShredderTarget:
    """Lines of records, as one record or two."""

    setting = Setting(
        packages=(common.scan.kernel, indexer.shred.kernel),
        small={
            "ROWS_MAX": 16, "CELLS_MAX": 64, "NAMES_MAX": 32, "ARENA_BYTES": 1_024,
            "HANDED_MAX": 6, "HANDED_FEW": 4, "_ROWS_AGAIN": 8, "TEXT_BYTES": 2_048,
            "PROBES_MAX": 6,
        },
        limits={"UNPACKED_NAME_BYTES_MAX": 60},
        depths=(0, 0, 0, 1, 1, 2, 5, 10, 300),
        bytes_max=4_000,
    )  # fmt: skip

    def samples(self) -> Iterator[Case]:
        from tests.generate import wide_lines
        from tests.indexer.shred.same import line

        yield 0, b"".join(wide_lines(1))
        for depth, event in _json_events():
            yield depth, line(event) + line(b'{"a":1}')
        yield 0, b"".join(line(b'{"n%d":%d,"n%d":"x"}' % (n, n, n + 1)) for n in range(40))
        yield 0, line(b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}') * 14  # all cells of a pass
        yield 2, line(b'{"a":{"b":{"c":1},"d":[ {} , 1 ]},"a.b":2}') * 20
        names = b'{"kkkkkkkkkkkkkkkkkk":{"a":1,"b":null,"b":2},"n":{}}'  # 60 bytes of names
        yield 1, line(names) * 3

    def fresh(self, dice: random.Random) -> Case | None:
        return None

    def check(self) -> Check:
        from indexer.shred.compiled.shredder import KernelShredder
        from indexer.shred.interface import ShredInput
        from tests.generate import START_NS
        from tests.indexer.shred.same import assert_same

        kernel = KernelShredder((0x0123456789ABCDEF, 0x1F3D5B79A2C4E6F8))

        def check(case: Case) -> None:
            depth, text = case
            half = text.find(b"\n", len(text) // 2) + 1
            parts = [text] if len(text) & 1 else [text[:half], text[half:]]
            assert_same(
                kernel,
                [ShredInput(at, START_NS + at, depth, part) for at, part in enumerate(parts)],
            )
            assert kernel.intact(), "written beside a table"

        return check


_SPLITTER = Setting(
    packages=(
        common.scan.kernel,
        shepherd.honeycomb.split.kernel,
        shepherd.honeycomb.split.kernel.msgpack,
    ),
    small={"ROWS_MAX": 4, "ENTRY_WORDS": 100},
    limits={
        "BODY_NESTING_MAX": 9,
        "EVENT_FIELDS_MAX": 6, "EVENT_BYTES_MAX": 400, "STRING_BYTES_MAX": 40,
        "UNPACKED_NAME_BYTES_MAX": 12, "NESTING_DEPTH_MAX": 6, "BATCH_EVENTS_MAX": 12,
    },
    depths=(0, 0, 1, 1, 2, 10),
    bytes_max=2_000,
)  # fmt: skip


class JsonTarget:
    """Bodies of batches in JSON."""

    setting = _SPLITTER

    def samples(self) -> Iterator[Case]:
        from tests.shepherd.honeycomb.split.test_same_as_reference import BODIES, SAMPLE, TIME_TEXTS

        yield 0, SAMPLE
        for at, body in enumerate(BODIES):
            yield at % 3, body
        for depth, event in _json_events():
            yield depth, b'[{"data":%b},{"data":{"a":1}}]' % event
        for time in TIME_TEXTS:
            yield 0, f'[{{"time":{time},"samplerate":2,"data":{{"a":"\\n"}}}}]'.encode()

    def fresh(self, dice: random.Random) -> Case | None:
        return None

    def check(self) -> Check:
        from shepherd.honeycomb.split.compiled.splitter import KernelSplitter
        from tests.shepherd.honeycomb.split.same import assert_same

        splitter = KernelSplitter()
        return lambda case: assert_same(splitter, case[1], case[0])


class MsgpackTarget:
    """Bodies of batches in msgpack."""

    setting = _SPLITTER

    def __init__(self) -> None:
        from tests.shepherd.honeycomb.split import packed

        self._scalars = packed.scalars()
        self._any_body = packed.any_body

    def samples(self) -> Iterator[Case]:
        from tests.shepherd.honeycomb.split.packed import (
            BODIES,
            GOOD,
            SAMPLE,
            TIMES,
            container,
            event,
        )

        yield 0, SAMPLE
        for at, body in enumerate(BODIES):
            yield at % 3, body
        for value in self._scalars:
            yield 1, container([event(value), event(b"\x02", name=value), GOOD], is_map=False)
        for time in TIMES:
            yield 0, b"\x91\x82\xa4time" + time + GOOD[1:]
        dice = random.Random(1)
        for _ in range(200):
            yield self._made(dice)

    def fresh(self, dice: random.Random) -> Case | None:
        return self._made(dice) if dice.random() < _MADE_ANEW else None

    def _made(self, dice: random.Random) -> Case:
        return dice.choice(self.setting.depths), self._any_body(dice, self._scalars)

    def check(self) -> Check:
        from shepherd.honeycomb.media import Media
        from shepherd.honeycomb.split.compiled.splitter import KernelSplitter
        from tests.shepherd.honeycomb.split.same import assert_same

        splitter = KernelSplitter()
        return lambda case: assert_same(splitter, case[1], case[0], Media.MSGPACK)


class OtlpJsonTarget:
    """Requests of OTLP in JSON; the depth stands for the signal."""

    setting = Setting(
        packages=(common.scan.kernel, shepherd.otlp.json.kernel),
        small={"FRAMES_MAX": 40},
        limits={},
        depths=(0, 1, 2),
        bytes_max=4_000,
    )

    def samples(self) -> Iterator[Case]:
        from tests.shepherd.otlp.json.same import SAMPLES, SIGNALS
        from tests.shepherd.otlp.json.test_same_as_reference import EDGES

        for sample in SAMPLES:
            yield SIGNALS.index(sample.signal), sample.text
        for text in EDGES:
            yield 0, text

    def fresh(self, dice: random.Random) -> Case | None:
        return None

    def check(self) -> Check:
        from shepherd.otlp.json.compiled.transcoder import KernelTranscoder
        from tests.shepherd.otlp.json.same import SIGNALS, Sample, assert_same

        transcoder = KernelTranscoder(pass_bytes=50)
        return lambda case: assert_same(transcoder, Sample(SIGNALS[case[0]], case[1]))


class OtlpTarget:
    """Requests of OTLP in protobuf; the depth stands for the signal."""

    setting = Setting(
        packages=(common.scan.kernel, shepherd.otlp.decode.kernel),
        small={
            "ROWS_MAX": 6, "ENTRIES_MAX": 3, "NAMES_MAX": 128, "ARENA_BYTES": 4_096,
            "TAIL_FIELDS_MAX": 8, "TAIL_BYTES": 1_024, "PROBES_MAX": 6,
        },
        limits={"EVENT_FIELDS_MAX": 30, "EVENT_BYTES_MAX": 4_000, "STRING_BYTES_MAX": 60},
        depths=(0, 1),
        bytes_max=4_000,
    )  # fmt: skip

    def samples(self) -> Iterator[Case]:
        dice = random.Random(1)
        for _ in range(200):
            yield self._made(dice)

    def fresh(self, dice: random.Random) -> Case | None:
        return self._made(dice) if dice.random() < _MADE_ANEW else None

    def _made(self, dice: random.Random) -> Case:
        from tests.shepherd.otlp.decode.compiled import log_requests, requests

        depth = dice.choice(self.setting.depths)
        make = (requests.any_request, log_requests.any_request)[depth]
        return depth, make(dice, dice.choice((0, 0.05, 0.3)))[: self.setting.bytes_max]

    def check(self) -> Check:
        from shepherd.otlp.decode.compiled.decoder import KernelDecoder
        from shepherd.otlp.decode.interface import Signal
        from tests.shepherd.otlp.decode.compiled.same import assert_same

        decoder = KernelDecoder((0x0123456789ABCDEF, 0x1F3D5B79A2C4E6F8))
        signals = (Signal.TRACES, Signal.LOGS)
        return lambda case: assert_same(decoder, case[1], signals[case[0]])


TARGETS: Mapping[str, Callable[[], Target]] = {
    "shredder": ShredderTarget,
    "json": JsonTarget,
    "msgpack": MsgpackTarget,
    "otlp_json": OtlpJsonTarget,
    "otlp": OtlpTarget,
}
