"""The digest depends on what rows say and on nothing else (docs/formats.md, I3)."""

import hashlib
import struct

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from indexer.shred.interface import ShredInput
from indexer.shred.reference import ReferenceShredder
from segment.columns import ColumnBlock, ColumnKey, FieldType, SparseColumn, concat, select
from segment.columns.digest import Digester, block_digest, digest_version, digests_of_pieces
from tests.generate import wide_records

VECTOR = (
    b'{"t":1700000000000000000,"r":1,"d":{"a":1,"b":"x","c":[1, 2]}}\n'
    b'{"t":1700000000000000001,"r":10,"d":{"a":-2.5,"b":"\xc3\xa9","ok":true}}\n'
)


def vector_block() -> ColumnBlock:
    record = ShredInput(42, 1_700_000_000_000_000_000, 0, VECTOR)
    return ReferenceShredder().shred([record]).block


def column(kind: int, name: bytes, letter: bytes, present: int, whole: bool, body: bytes) -> bytes:
    head = struct.pack("<BI", kind, len(name)) + name + letter + struct.pack("<QB", present, whole)
    return xxhash.xxh3_128_digest(b"bellwether column digest 2\n" + head + body)


def test_the_specification_word_by_word_gives_the_test_vector() -> None:
    columns = [
        column(0, b"_time", b"i", 2, True, struct.pack("<2q", 17 * 10**17, 17 * 10**17 + 1)),
        column(0, b"_rate", b"i", 2, True, struct.pack("<2q", 1, 10)),
        column(0, b"_offset", b"i", 2, True, struct.pack("<2q", 42, 42)),
        column(0, b"_place", b"i", 2, True, struct.pack("<2q", 0, 1)),
        column(1, b"a", b"i", 1, False, struct.pack("<Iq", 0, 1)),
        column(1, b"a", b"f", 1, False, struct.pack("<Id", 1, -2.5)),
        column(1, b"b", b"s", 2, True, struct.pack("<2I", 1, 2) + b"x\xc3\xa9"),
        column(1, b"c", b"j", 1, False, struct.pack("<2I", 0, 5) + b"[1,2]"),
        column(1, b"ok", b"b", 1, False, struct.pack("<IB", 1, 1)),
    ]
    head = b"bellwether segment digest 2\n" + struct.pack("<QQ", 2, 9)
    digest = "2:" + hashlib.sha256(head + b"".join(sorted(columns))).hexdigest()
    assert block_digest(vector_block()) == digest
    assert digest == "2:37f6231f07985e62bda8209a11da475f0500177f095fb4a3f58206b985f5453d"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"a":1', b'"a":2'),
        (b'"a":1', b'"a":1.0'),
        (b'"a":1', b'"A":1'),
        (b'"b":"x"', b'"b":"x\\u0000"'),
        (b'"b":"x"', b'"b":null'),
        (b'"r":10', b'"r":1'),
        (b"[1, 2]", b"[2, 1]"),
        (b"[1, 2]", b'"[1,2]"'),
        (b"000001,", b"000002,"),
    ],
)
def test_every_change_of_content_changes_the_digest(before: bytes, after: bytes) -> None:
    changed = VECTOR.replace(before, after)
    assert changed != VECTOR
    record = ShredInput(42, 0, 0, changed)
    block = ReferenceShredder().shred([record]).block
    assert block_digest(block) != block_digest(vector_block())


def test_place_and_offset_are_part_of_the_digest() -> None:
    shredder = ReferenceShredder()
    blocks = [shredder.shred([ShredInput(offset, 0, 0, VECTOR)]).block for offset in (42, 43)]
    assert block_digest(blocks[0]) != block_digest(blocks[1])


def test_slices_and_order_of_columns_do_not_matter() -> None:
    block = ReferenceShredder().shred(wide_records(300)).block
    mask = np.zeros(300, np.bool_)
    mask[100:217] = True
    part = select(block, mask)
    halves = [select(part, np.arange(117) < 50), select(part, np.arange(117) >= 50)]
    backwards = ColumnBlock(
        part.time_ns, part.rate, part.offset, part.index_in_record, part.late_or_early,
        dict(reversed(part.columns.items())),
    )  # fmt: skip
    sliced = {
        key: SparseColumn(c.rows, pa.concat_arrays([c.values, c.values]).slice(len(c.values)))
        for key, c in part.columns.items()
    }
    shifted = ColumnBlock(
        part.time_ns, part.rate, part.offset, part.index_in_record, part.late_or_early, sliced
    )  # fmt: skip
    wanted = block_digest(part)
    assert block_digest(concat(halves)) == wanted
    assert block_digest(backwards) == wanted
    assert block_digest(shifted) == wanted


def test_a_column_counts_once_and_must_be_whole() -> None:
    key = ColumnKey("a", FieldType.INT)
    one = SparseColumn(np.array([0], np.uint32), pa.array([1], pa.int64()))
    digester = Digester(2)
    digester.add_field(key, one)
    digester.add_field(key, one)
    with pytest.raises(ValueError, match="twice"):
        digester.text()
    with pytest.raises(ValueError, match="2 rows"):
        Digester(2).add_system("_time", np.zeros(1, np.int64))
    with pytest.raises(ValueError, match="not null"):
        Digester(1).add_field(key, SparseColumn(one.rows, pa.array([None], pa.int64())))


def test_a_column_without_values_is_not_there() -> None:
    empty = SparseColumn(np.empty(0, np.uint32), pa.array([], pa.large_string()))
    digester = Digester(0)
    digester.add_field(ColumnKey("a", FieldType.STRING), empty)
    assert digester.text() == Digester(0).text()


def test_digests_of_version_1_are_still_computed() -> None:
    block = vector_block()
    digester = Digester(block.rows, version=1)
    digester.add_system("_time", block.time_ns)
    digester.add_system("_rate", block.rate)
    digester.add_system("_offset", block.offset)
    digester.add_system("_place", block.index_in_record)
    for key, values in block.columns.items():
        digester.add_field(key, values)
    digest = digester.text()
    assert digest == "c62f6965d070fd37a266b8df19db78773cab2d0989e1df26b6833391d7ab06da"
    assert digest_version(digest) == 1
    assert digest_version(block_digest(block)) == 2


@pytest.mark.parametrize("digest", ["3:ab", ":ab", "x:ab", "2:3:ab"])
def test_a_digest_of_an_unknown_version_is_no_digest(digest: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        digest_version(digest)


@pytest.mark.parametrize("version", [1, 2])
def test_digests_of_pieces_are_those_of_the_pieces(version: int) -> None:
    records = [*wide_records(300), ShredInput(10**6, 10**18, 0, VECTOR)]
    block = ReferenceShredder().shred(records).block
    ends = np.array([0, 1, 2, 9, 9, 40, block.rows - 2, block.rows])
    for start in (0, 1):  # of whole columns, and of slices of them
        part = select(block, np.arange(block.rows) >= start) if start else block
        firsts, lasts = np.maximum(ends[:-1] - start, 0), np.maximum(ends[1:] - start, 0)
        firsts, lasts = firsts[lasts > firsts], lasts[lasts > firsts]
        found = digests_of_pieces(part, firsts, lasts, version)
        for first, last, digest in zip(firsts.tolist(), lasts.tolist(), found, strict=True):
            rows = np.arange(part.rows)
            piece = select(part, (rows >= first) & (rows < last))
            digester = Digester(piece.rows, version)
            digester.add_system("_time", piece.time_ns)
            digester.add_system("_rate", piece.rate)
            digester.add_system("_offset", piece.offset)
            digester.add_system("_place", piece.index_in_record)
            for key, one in piece.columns.items():
                digester.add_field(key, one)
            assert digest == digester.text()
