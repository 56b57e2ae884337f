"""What `make_data.py` recorded, and how answers of two builds are compared."""

import base64
import json
import lzma
import math
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
EXACT = 1e-12  # of sums of doubles; percentiles are allowed what docs/queries.md states
PERCENTILE = 0.005


@dataclass(frozen=True)
class Question:
    """A question, the old build's answer, and one share of it: request and response as bytes."""

    dataset: str
    spec: dict[str, Any]
    data: dict[str, Any]
    request: bytes
    share: bytes

    @property
    def name(self) -> str:
        """For the ids of tests."""
        used = [c["op"] for c in self.spec["calculations"]] + self.spec.get("breakdowns", [])
        return "-".join([self.dataset, *used])


def questions() -> list[Question]:
    """Everything that was recorded."""
    found = json.loads(lzma.decompress((FOLDER / "recorded.json.xz").read_bytes()))
    return [
        Question(
            one["dataset"],
            one["spec"],
            one["data"],
            one["request"].encode(),
            base64.b64decode(one["share"]),
        )
        for one in found
    ]


def unpack(target: Path) -> Path:
    """The data folder of the old build, below `target`."""
    data = target / "data"
    with tarfile.open(FOLDER / "data.tar.xz") as tar:
        tar.extractall(data, filter="data")
    return data


def rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in an order that does not depend on the build, where a question gives none."""
    return sorted(found, key=lambda row: json.dumps(row, sort_keys=True, default=str))


def assert_same(new: object, old: object, at: str = "") -> None:
    """Compare parts of answers; numbers within what is promised. Raises AssertionError."""
    if isinstance(old, dict):
        assert isinstance(new, dict), at
        assert new.keys() == old.keys(), at
        for name in old:
            assert_same(new[name], old[name], f"{at}.{name}")
    elif isinstance(old, list):
        assert isinstance(new, list), at
        assert len(new) == len(old), at
        for number, (one, other) in enumerate(zip(new, old, strict=True)):
            assert_same(one, other, f"{at}[{number}]")
    elif isinstance(old, float) and isinstance(new, int | float):
        wide = any(f".P{digit}" in at for digit in "0123456789")
        allowed = PERCENTILE if wide else EXACT
        assert math.isclose(new, old, rel_tol=allowed), (at, new, old)
    else:
        assert (type(new), new) == (type(old), old), at
