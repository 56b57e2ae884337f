"""The public JSON parsing vectors through the compiled shredder: the same verdicts and columns."""

import numpy as np

from common.kernels.compile import SENTINEL_BYTES
from common.scan.kernel.ascii_codes import LINE_BREAK
from common.scan.kernel.containers import ANY_SIZE, DEPTH_MAX, skip_value
from common.scan.kernel.literals import skip_blanks
from indexer.shred.compiled.shredder import KernelShredder
from tests.common.scan.json_vectors import VECTORS
from tests.indexer.shred.same import assert_all_same, line, record

_WORDS = np.zeros(DEPTH_MAX, np.int64)


def proved(text: bytes) -> bool:
    """Whether the kernel's scan of any JSON value takes the text, and nothing is left of it."""
    buffer = np.frombuffer(text + b"\0" + bytes(SENTINEL_BYTES), np.uint8)
    begin = skip_blanks(buffer, 0, LINE_BREAK)
    found = skip_value(buffer, begin, LINE_BREAK, 0, ANY_SIZE, _WORDS, 0)
    return found >= 0 and skip_blanks(buffer, found >> 1, LINE_BREAK) == len(text)


def test_the_scan_of_a_value_takes_what_has_to_be_taken_and_nothing_else() -> None:
    for name, wanted, text in VECTORS:
        assert proved(text) == wanted, name


def test_events_and_lines_with_them(kernel: KernelShredder) -> None:
    records = []
    for event in (b'{"a":%b}', b'{"b":[1,%b ],"a":2}', b'{"a":{"b":{"c":%b}}}', b"%b"):
        for name, _, text in VECTORS:
            source = event.replace(b"%b", text)
            for spelled in {source, source.replace(b"\n", b" ")}:
                lines = line(b'{"x":1}') + line(spelled)
                records.append(record(lines, len(name) % 3, len(records)))
    assert_all_same(kernel, records)


def test_each_alone_gets_its_verdict(kernel: KernelShredder) -> None:
    for name, wanted, text in VECTORS:
        source = b'{"a":%b}'.replace(b"%b", text.replace(b"\n", b" ").replace(b"\r", b" "))
        one = kernel.shred([record(line(source))]).quarantined
        if b"\n" not in text or wanted:  # a break within a string is gone with the blank
            assert (not one) == wanted, name
