"""Makes the types of documents and messages ready before threads decode them.

msgspec works out how a Struct is decoded when it is first needed, and keeps that with the class. In
0.22.0 this is not safe in several threads: it has ended role processes. So one thread does it for
all classes there are, before others decode.
"""

import threading
from collections.abc import Iterator
from contextlib import suppress

import msgspec

_turn = threading.Lock()
_ready: set[type[msgspec.Struct]] = set()


def prepare_structs() -> int:
    """Prepare every Struct of the modules imported by now; returns how many were new.

    Call it again after importing more. Any thread may.
    """
    with _turn:
        new = [one for one in _all(msgspec.Struct) if one not in _ready]
        for one in new:
            with suppress(TypeError, NameError):  # one that is only ever written
                msgspec.json.Decoder(one)
            _ready.add(one)
        return len(new)


def _all(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in base.__subclasses__():
        yield one
        yield from _all(one)
