"""Shapes of data that hurt: speed of each beside the flat wide shape and beside the reference.

`python -m tests.fuzz.shapes [--bytes N] [SHAPE]...` prints events and bytes per CPU second, the
fraction of the wide shape's bytes per second, and how many times faster than the reference it is
(which must not be below 1). Measured as an indexer calls it: records of 100 events, up to 8,192
rows per call. The test beside this one asserts that every shape gives what the reference gives.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import orjson
import pyarrow as pa

from indexer.shred.interface import Shredder, ShredInput
from indexer.shred.load_compiled import load
from indexer.shred.reference import ReferenceShredder
from tests.generate import START_NS, wide_event

RECORD_EVENTS = 100
CALL_ROWS = 8_192
_ROUNDS = 3
Make = Callable[[random.Random, int], bytes]  # the event of this number
_NAMES = [b"attribute.%d" % at for at in range(10_000)]
_WIDE = _NAMES[:26]
_DOUBTFUL = b"1.00000000000000011102230246251565"  # the kernel leaves it to the reference


def _value(dice: random.Random, kind: int) -> bytes:
    if kind == 0:
        return b"%d" % dice.randrange(10**6)
    if kind == 1:
        return b"%.4f" % dice.random()
    if kind == 2:
        return dice.choice((b"true", b"false"))
    return b'"%x"' % dice.getrandbits(40) if kind == 3 else dice.choice((b'"GET"', b'"POST"'))


def _object(members: Iterator[tuple[bytes, bytes]]) -> bytes:
    return b"{%b}" % b",".join(b'"%b":%b' % member for member in members)


def _typed(dice: random.Random, names: list[bytes]) -> bytes:
    """Each name with a value of its own type."""
    return _object((name, _value(dice, len(name) % 5 ^ name[-1] & 1)) for name in names)


def _shuffled(dice: random.Random, names: list[bytes]) -> bytes:
    return _typed(dice, dice.sample(names, len(names)))


def _any_types(dice: random.Random, names: list[bytes]) -> bytes:
    return _object((name, _value(dice, dice.randrange(5))) for name in names)


def _same(value: bytes, names: list[bytes] = _WIDE) -> Make:
    text = _object((name, value) for name in names)
    return lambda dice, number: text


def _whole(text: bytes) -> Make:
    return lambda dice, number: text


def _wide(dice: random.Random, number: int) -> bytes:
    return orjson.dumps(wide_event(dice, f"{dice.getrandbits(128):032x}"))


def _new_names(count: int) -> Make:
    return lambda dice, n: _object((b"n%d_%d" % (n, at), b"1") for at in range(count))


def _doubtful(one_in: int, names: list[bytes] = _WIDE) -> Make:
    """One event in so many has a number that the kernel leaves to the reference."""

    def make(dice: random.Random, number: int) -> bytes:
        event = _typed(dice, dice.sample(names, 26))
        return b'{"z":%b,' % _DOUBTFUL + event[1:] if number % one_in == 0 else event

    return make


def _bad(one_in: int) -> Make:
    def make(dice: random.Random, number: int) -> bytes:
        event = _typed(dice, _WIDE)
        return event[:-1] + b',"z":01}' if number % one_in == 0 else event

    return make


_STRING = b'"%b"'
_FLAT = _object((name, b"1") for name in _NAMES[:200])
# name: depth, and the event
SHAPES: dict[str, tuple[int, Make]] = {
    "wide spans": (0, _wide),
    "26 of 2,000 fields": (0, lambda dice, n: _typed(dice, dice.sample(_NAMES[:2_000], 26))),
    "26 of 10,000 fields": (0, lambda dice, n: _typed(dice, dice.sample(_NAMES, 26))),
    "26 fields in random order": (0, lambda dice, n: _shuffled(dice, _WIDE)),
    "500 fields": (0, lambda dice, n: _typed(dice, _NAMES[:500])),
    "500 fields in random order": (0, lambda dice, n: _shuffled(dice, _NAMES[:500])),
    "2,000 fields": (0, lambda dice, n: _typed(dice, _NAMES[:2_000])),
    "types that change": (0, lambda dice, n: _any_types(dice, _WIDE)),
    "ever new names": (0, _new_names(26)),
    "2,000 ever new names": (0, _new_names(2_000)),
    "tiny events": (0, lambda dice, n: b'{"a":%d}' % (n % 10)),
    "empty strings": (0, _same(b'""')),
    "nulls": (0, _same(b"null")),
    "one name 500 times": (0, _whole(_object((b"a", b"%d" % at) for at in range(500)))),
    "strings of 60 kB": (0, _same(_STRING % (b"x" * 60_000), [b"a"])),
    "short escapes": (0, _same(_STRING % (rb"\n\"\u00e9" * 10))),
    "nothing but \\u": (0, _same(_STRING % (rb"\u00e9" * 1_000), _WIDE[:10])),
    "escaped names": (0, _whole(_object((rb"\u0061%d" % at, b"1") for at in range(26)))),
    "unicode": (0, _same(_STRING % ("äß€😀" * 20).encode())),
    "every second letter not ASCII": (0, _same(_STRING % ("aä" * 20).encode())),
    "250 arrays in each other": (0, _same(b"[" * 250 + b"]" * 250, [b"a"])),
    "250 objects in each other": (10, _whole(b'{"a":' * 250 + b"1" + b"}" * 250)),
    "nested, unpacked": (2, _whole(b'{"a":%b,"b":{"c":%b}}' % (_FLAT, _FLAT))),
    "blanks everywhere": (0, _whole(b" { %b } " % b" , ".join(b' "%b" :\t 1' % n for n in _WIDE))),
    "arrays with blanks": (0, _same(b"[ " + b" , ".join([b"1"] * 500) + b" ]", [b"a"])),
    "17 digits": (0, lambda dice, n: _object((m, b"%a" % dice.random()) for m in _WIDE)),
    "30 digits": (0, lambda dice, n: _object((m, b"0.%d" % dice.getrandbits(99)) for m in _WIDE)),
    "number of 60 kB": (0, _same(b"1" * 300 + b"." + b"7" * 60_000, [b"a"])),
    "all doubtful": (0, _same(_DOUBTFUL)),
    "one in 4 doubtful": (0, _doubtful(4)),
    "one in 12 doubtful": (0, _doubtful(12)),
    "one in 12 doubtful, 10,000 fields": (0, _doubtful(12, _NAMES)),
    "all bad": (0, _bad(1)),
    "one in 100 bad": (0, _bad(100)),
    "names of 1 kB": (0, _same(b"1", [b"p" * 1_000 + b"%d" % at for at in range(26)])),
    "names multiplied by unpacking": (1, _same(_FLAT, [b"p" * 2_500])),
    "too many bytes of names": (1, _same(_FLAT, [b"p" * 5_000])),
}  # fmt: skip


def records(name: str, size: int, seed: int = 1) -> list[ShredInput]:
    """Records of this shape, `size` bytes or a little more."""
    depth, make = SHAPES[name]
    dice = random.Random(seed)
    lines: list[bytes] = []
    while size > 0:
        lines.append(b'{"t":%d,"r":1,"d":%b}\n' % (START_NS, make(dice, len(lines))))
        size -= len(lines[-1])
    parts = iter(lines)
    found = []
    while part := list(islice(parts, RECORD_EVENTS)):
        found.append(ShredInput(len(found), START_NS, depth, b"".join(part)))
    return found


def _cpu_s(shredder: Shredder, inputs: list[ShredInput], rows: int) -> float:
    step = max(1, rows // RECORD_EVENTS)
    began = time.process_time()
    for at in range(0, len(inputs), step):
        shredder.shred(inputs[at : at + step])
    return time.process_time() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", default=list(SHAPES))
    parser.add_argument("--bytes", type=int, default=4_000_000, help="of each shape")
    parser.add_argument("--rows", type=int, default=CALL_ROWS, help="of each call")
    given = parser.parse_args()
    pa.set_cpu_count(1)
    handed: list[int] = []
    reference = ReferenceShredder()
    with tempfile.TemporaryDirectory() as folder:
        kernel = load(Path(folder), (3, 5), handed.append)
        wide = records("wide spans", given.bytes)
        print(f"{'shape':34} {'B/event':>8} {'events/s':>11} {'MB/s':>7} {'of wide':>8}", end="")
        print(f" {'x reference':>11} {'handed over':>11}")
        for name in given.shapes:
            inputs = records(name, given.bytes)
            size = sum(len(one.lines) for one in inputs)
            events = sum(one.lines.count(b"\n") for one in inputs)
            _cpu_s(kernel, inputs, given.rows)
            handed.clear()
            all_took = [
                (
                    _cpu_s(kernel, inputs, given.rows),
                    _cpu_s(kernel, wide, CALL_ROWS),
                    _cpu_s(reference, inputs, given.rows),
                )
                for _ in range(_ROUNDS)
            ]
            took, wide_took, slow = map(min, zip(*all_took, strict=True))
            speed = size / took
            wide_speed = sum(len(one.lines) for one in wide) / wide_took
            times = slow / took
            share = sum(handed) / _ROUNDS / events
            print(f"{name:34} {size / events:8.0f} {events / took:11,.0f}", end="")
            print(f" {speed / 1e6:7.1f} {speed / wide_speed:8.3f}", end="")
            print(f" {times:11.2f} {share:11.3f}", flush=True)


if __name__ == "__main__":
    main()
