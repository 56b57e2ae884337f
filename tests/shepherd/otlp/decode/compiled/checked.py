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
    from shepherd.otlp.decode.interface import Signal
    from tests.fuzz.mutate import mutated
    from tests.shepherd.otlp.decode.compiled import log_requests, requests
    from tests.shepherd.otlp.decode.compiled.same import assert_same

    dice = random.Random(int(seed))
    decoder = KernelDecoder((dice.getrandbits(63), dice.getrandbits(63)))
    made = {Signal.TRACES: requests, Signal.LOGS: log_requests}
    samples = [
        one.any_request(dice, rare)
        for one in made.values()
        for rare in (0, 0.05, 0.3)
        for _ in range(20)
    ]
    assert_same(decoder, samples[0])  # compiles
    for signal, one in made.items():
        for message in one.at_limits():
            assert_same(decoder, message, signal)
    end_s = time.monotonic() + float(seconds)
    messages = 0
    while time.monotonic() < end_s:
        signal = dice.choice((Signal.TRACES, Signal.LOGS))
        message = made[signal].any_request(dice, dice.choice((0, 0.05, 0.3)))
        if messages & 1:
            message = mutated(dice, message, samples, _BYTES_MAX)
        assert_same(decoder, message, signal)
        messages += 1
    print(messages)


if __name__ == "__main__":
    main(*sys.argv[1:])
