"""The decoder with every access to memory checked, fed damaged requests.

python -m tests.shepherd.otlp.decode.compiled.checked <folder of compiled code> <seconds> <seed>
"""

import random
import sys
import time
from pathlib import Path

from common.kernels.compile import options
from shepherd.otlp.decode.load_compiled import use_cache

_BYTES_MAX = 20_000


def main(folder: str, seconds: str, seed: str) -> None:
    options.checked = True
    use_cache(Path(folder) / "checked")
    from shepherd.otlp.decode.compiled.decoder import KernelDecoder
    from tests.fuzz.mutate import mutated
    from tests.shepherd.otlp.decode.compiled.requests import any_request, at_limits
    from tests.shepherd.otlp.decode.compiled.same import assert_same

    dice = random.Random(int(seed))
    decoder = KernelDecoder((dice.getrandbits(63), dice.getrandbits(63)))
    samples = [any_request(dice, rare) for rare in (0, 0.05, 0.3) for _ in range(20)]
    assert_same(decoder, samples[0])  # compiles
    for message in at_limits():
        assert_same(decoder, message)
    end_s = time.monotonic() + float(seconds)
    messages = 0
    while time.monotonic() < end_s:
        message = any_request(dice, dice.choice((0, 0.05, 0.3)))
        if messages & 1:
            message = mutated(dice, message, samples, _BYTES_MAX)
        assert_same(decoder, message)
        messages += 1
    print(messages)


if __name__ == "__main__":
    main(*sys.argv[1:])
