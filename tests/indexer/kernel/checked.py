"""The kernel with every access to memory checked, fed damaged events: `python -m tests...checked`.

python -m tests.indexer.kernel.checked <folder of compiled code> <seconds> <seed>
"""

import random
import sys
import time
from pathlib import Path

from common.scan.kernel.build import options
from indexer.shred.ahead import use_cache

_PIECES = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"0", b"12345678", b".", b"e", b"-", b" ",
    b"\t", b"\x00", b"\x80", b"\xe2\x82", b"\xf0\x9f\x98\x80", b"\\ud83d", b"\\u00e9", b"true",
    b"null", b"\n", b'{"a":', b'"b":', b"k" * 40, b"99999999999999999999",
]  # fmt: skip


def damaged(dice: random.Random, text: bytes) -> bytes:
    changed = bytearray(text)
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        at = dice.randrange(len(changed) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            del changed[at : at + dice.choice([1, 1, 2, 9])]
        elif kind == 1:
            changed[at:at] = dice.choice(_PIECES)
        elif kind == 2 and at < len(changed):
            changed[at] = dice.randrange(256)
        else:
            begin = dice.randrange(len(changed) + 1)
            changed[at:at] = changed[begin : begin + dice.randrange(40)]
    return bytes(changed)


def main(folder: str, seconds: str, seed: str) -> None:
    options.checked = True
    use_cache(Path(folder) / "checked")
    from indexer.shred.kernel.shredder import KernelShredder
    from tests.indexer.kernel.same import assert_same, line, record
    from tests.indexer.test_shred import FACTS

    dice = random.Random(int(seed))
    shredder = KernelShredder((dice.getrandbits(63), dice.getrandbits(63)))
    from tests.generate import wide_lines

    samples = [*wide_lines(5), *(line(source.encode()) for source, _, _ in FACTS)]
    shredder.shred([record(samples[0])])  # compiles
    end_s = time.monotonic() + float(seconds)
    events = 0
    while time.monotonic() < end_s:
        records = []
        for offset in range(8):
            chosen = dice.choices(samples, k=3)
            lines = [damaged(dice, one) if dice.random() < 0.5 else one for one in chosen]
            records.append(record(b"".join(lines), dice.randrange(4), offset))
            events += len(lines)
        assert_same(shredder, records)
    assert shredder.intact()
    print(events)


if __name__ == "__main__":
    main(*sys.argv[1:])
