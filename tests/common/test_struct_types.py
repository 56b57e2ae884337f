"""Types are prepared by one thread, before others decode them."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from common import struct_types
from common.struct_types import prepare_structs


def test_each_class_is_prepared_once_with_those_in_it() -> None:
    prepare_structs()

    class Inner(msgspec.Struct):
        number: int

    class Outer(msgspec.Struct):
        inner: list[Inner]

    assert not _is_ready(Outer)
    assert prepare_structs() == 2
    assert _is_ready(Outer)
    assert _is_ready(Inner)
    assert prepare_structs() == 0


def test_a_class_that_is_never_decoded_keeps_no_other_from_it() -> None:
    prepare_structs()

    class Written(msgspec.Struct):
        either: bytearray | list[int] | set[int]  # which JSON cannot tell apart

    class Read(msgspec.Struct):
        number: int

    assert prepare_structs() == 2
    assert _is_ready(Read)
    with pytest.raises(TypeError):
        msgspec.json.Decoder(Written)


@pytest.mark.parametrize("role", ["shepherd", "indexer", "query"])
def test_every_class_of_a_role_is_ready_before_its_first_thread(role: str, tmp_path: Path) -> None:
    """In a process of its own, up to where that thread would begin."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, role, str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["many", "0"], done.stderr


_PROGRAM = """
import asyncio, sys
from pathlib import Path
from bellwether import wiring
from bellwether.config.settings import load
from common import struct_types

class BeforeThreads(Exception):
    pass

def open_backends(*_):
    print("many" if len(struct_types._ready) > 50 else "few", struct_types.prepare_structs())
    raise BeforeThreads

wiring.open_backends = open_backends
wiring.internal_token = lambda _: "t" * 32
try:
    asyncio.run(wiring.run_roles([sys.argv[1]], load({}, {}, Path(sys.argv[2])), None))
except BeforeThreads:
    pass
"""


def _is_ready(kind: type[msgspec.Struct]) -> bool:
    return kind in struct_types._ready
