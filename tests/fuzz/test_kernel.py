"""No input makes the kernel differ from the reference, or touch memory that is not its own."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.mutate import MUTATIONS, mutated
from tests.kernel_cache import KERNEL_CACHE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def fuzz(seconds: int, seed: int, kernel: str = "shredder") -> tuple[int, int]:
    """(inputs tried, branches reached), in a process of its own: its code is compiled anew."""
    arguments = ["--seconds", str(seconds), "--seed", str(seed), "--cache", str(KERNEL_CACHE)]
    arguments += ["--kernel", kernel]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.kernel", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    words = done.stdout.split()
    return int(words[0]), int(words[2])


def test_fuzzed_lines_with_every_access_checked_and_tiny_tables() -> None:
    inputs, branches = fuzz(seconds=10, seed=11)
    assert inputs > 0
    assert branches > 300  # samples alone reach them: the counting works


@pytest.mark.scenario
@pytest.mark.parametrize("kernel", ["shredder", "json", "msgpack", "otlp_json", "otlp"])
def test_fuzzed_for_long(kernel: str) -> None:
    for seed in range(5):
        assert fuzz(seconds=120, seed=seed, kernel=kernel)[0] > 0


def test_a_mutation_follows_from_its_seed_and_is_bounded() -> None:
    corpus = [b'{"a":1}', b""]
    first = [mutated(random.Random(seed), b'{"a":12}', corpus, 50) for seed in range(200)]
    again = [mutated(random.Random(seed), b'{"a":12}', corpus, 50) for seed in range(200)]
    assert first == again
    assert max(map(len, first)) <= 50
    assert len(set(first)) > 100
    for change in MUTATIONS:
        change(random.Random(1), bytearray(), corpus)  # nothing to change is no error
