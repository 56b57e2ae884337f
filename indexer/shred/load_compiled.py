"""Loads the compiled shredder and compares it with the reference before it serves."""

from collections.abc import Callable
from pathlib import Path

import common.scan.kernel
import indexer.shred.kernel
from common.kernels import precompile
from common.kernels.trial import load_tried
from common.model.record import Kind, Record
from common.model.record_value import compress_value
from indexer.shred.interface import Accepted, Shredded, Shredder, ShredInput
from indexer.shred.reference import ReferenceShredder
from segment.columns.digest import block_digest

SOURCES = (common.scan.kernel, indexer.shred.kernel)
_TRIAL = (
    b'{"t":1700000000000000000,"r":1,"d":{"a":1,"b":"x","c":[1, 2],"d":true,"e":null}}\n'
    b'{"t":-5,"r":10,"d":{"a":-2.5,"b":"\xc3\xa9\\n\\ud83d\\ude00","o":{"p":{"q":1e22}},"a":7}}\n'
    b'{"t":0,"r":3,"d":{"b":"y","a":0.1234567890123456789e-5,"f\\u0041":123456789012345678901}}\n'
    b'{"t":0,"r":3,"d": { "a" : 1.7976931348623157e308 , "o" : { "p" : [ { } , "]" ] } } }\n'
)
_TRIAL_BAD = b'{"t":1,"r":1,"d":{"a":01}}\n'


def compile_all(folder: Path) -> None:
    """Compile every function that shredding calls. Raises any error of the compiler."""
    load(folder, (1, 2), lambda _: None)


def load(folder: Path, seeds: tuple[int, int], on_fallback: Callable[[int], None]) -> Shredder:
    """The compiled shredder, after its results equalled the reference's. Raises otherwise."""

    def make() -> Shredder:
        from indexer.shred.compiled.shredder import KernelShredder

        return KernelShredder(seeds, on_fallback=on_fallback)

    differs = "the compiled shredder differs from the reference on its trial records"
    reference: Shredder = ReferenceShredder.exact()
    return load_tried(folder, SOURCES, make, reference, _trial, differs)


def use_cache(folder: Path) -> None:
    """Cache compiled code in this folder. Call before a module of the kernel is imported."""
    precompile.use_cache(folder, SOURCES)


def _trial(shredder: Shredder) -> object:
    records = [ShredInput(at, 5, at % 3, _TRIAL) for at in range(4)]
    records.append(ShredInput(4, 5, 0, _TRIAL_BAD))
    values = [_logged(one) for one in records]
    return [_outcome(shredder.shred(records)), _outcome(shredder.shred_values(values))]


def _logged(record: ShredInput) -> Accepted:
    """The record in its log format. Every second header has a wrong number of events."""
    events = record.lines.count(b"\n") + record.offset % 2
    value = compress_value(record.lines)
    headers = Record(Kind.EVENTS, value, dataset="trial", n=events, depth=record.depth)
    return Accepted(record.offset, record.append_ns, headers)


def _outcome(shredded: Shredded) -> tuple[object, ...]:
    return block_digest(shredded.block), list(shredded.block.columns), shredded.quarantined
