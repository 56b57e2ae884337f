"""The splitter with every access to memory checked, fed damaged bodies.

python -m tests.shepherd.honeycomb.split.checked <folder of compiled code> <seconds> <seed>
"""

import random
import sys
import time
from pathlib import Path

from common.kernels.compile import options
from shepherd.honeycomb.split.load_compiled import use_cache

_BYTES_MAX = 20_000


def main(folder: str, seconds: str, seed: str) -> None:
    options.checked = True
    use_cache(Path(folder) / "checked")
    from shepherd.honeycomb.media import Media
    from shepherd.honeycomb.split.compiled.splitter import KernelSplitter
    from tests.fuzz.mutate import mutated
    from tests.shepherd.honeycomb.split import packed
    from tests.shepherd.honeycomb.split.same import assert_same
    from tests.shepherd.honeycomb.split.test_same_as_reference import (
        BODIES,
        RATE_TEXTS,
        SAMPLE,
        TIME_TEXTS,
    )

    dice = random.Random(int(seed))
    splitter = KernelSplitter()
    samples = [SAMPLE, *BODIES]
    for time_text in TIME_TEXTS:
        rate = dice.choice(RATE_TEXTS)
        text = f'[{{"time":{time_text},"samplerate":{rate},"data":{{"a":"\\n"}}}}]'
        samples.append(text.encode())
    scalars = packed.scalars()
    packed_samples = [packed.SAMPLE, *packed.BODIES, *scalars]
    assert_same(splitter, SAMPLE)  # compiles
    assert_same(splitter, packed.SAMPLE, 0, Media.MSGPACK)
    end_s = time.monotonic() + float(seconds)
    bodies = 0
    while time.monotonic() < end_s:
        body = mutated(dice, dice.choice(samples), samples, _BYTES_MAX)
        assert_same(splitter, body, dice.randrange(3))
        body = packed.any_body(dice, scalars)
        if bodies & 1:
            body = mutated(dice, body, packed_samples, _BYTES_MAX)
        assert_same(splitter, body, dice.randrange(3), Media.MSGPACK)
        bodies += 1
    print(bodies)


if __name__ == "__main__":
    main(*sys.argv[1:])
