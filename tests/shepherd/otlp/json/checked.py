"""The compiled transcoder with every access to memory checked, fed damaged texts.

python -m tests.shepherd.otlp.json.checked <folder of compiled code> <seconds> <seed>
"""

import random
import sys
import time
from pathlib import Path

from common.kernels.compile import options
from shepherd.otlp.json.load_compiled import use_cache


def main(folder: str, seconds: str, seed: str) -> None:
    options.checked = True
    use_cache(Path(folder) / "checked")
    from shepherd.otlp.json.compiled.transcoder import KernelTranscoder
    from tests.shepherd.otlp.json.same import SAMPLES, assert_same, damaged

    dice = random.Random(int(seed))
    transcoder = KernelTranscoder(pass_bytes=100)
    for sample in SAMPLES:  # the first one compiles
        assert_same(transcoder, sample)
    end_s = time.monotonic() + float(seconds)
    texts = 0
    while time.monotonic() < end_s:
        assert_same(transcoder, damaged(dice))
        texts += 1
    print(texts)


if __name__ == "__main__":
    main(*sys.argv[1:])
