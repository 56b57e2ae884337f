"""Packed files: all that can be unpacked is read, and damage is told, large or small."""

import bz2
import gzip
import hashlib
import lzma
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import zstandard

from bellwether.send.files.prefix import Prefix
from bellwether.send.files.source import Source, SourceError, open_source
from bellwether.send.files.unpack import STEP_BYTES

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": cache(lambda data: gzip.compress(data, 1)),
    "bz2": cache(lambda data: bz2.compress(data, 1)),
    "xz": cache(lambda data: lzma.compress(data, preset=0)),
    "zstd": cache(zstandard.ZstdCompressor(write_checksum=True).compress),
}
DICE = random.Random(1)
SMALL = b"".join(b"%d\n" % DICE.getrandbits(40) for _ in range(2_000))
LARGE = b"".join(b"%d\n" % DICE.getrandbits(40) for _ in range(60_000))


def opened(folder: Path, data: bytes) -> Source:
    (folder / "x").write_bytes(data)
    return open_source(str(folder / "x"), 0)


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["small", "large"])
def test_whole_files_and_several_members_are_read(tmp_path: Path, kind: str, text: bytes) -> None:
    pack = PACKERS[kind]
    for packed in (pack(text), pack(text[:500]) + pack(b"") + pack(text[500:])):
        source = opened(tmp_path, packed)
        assert source.stream.read() == text
        assert (source.compression, source.damage()) == (kind, None)


@pytest.mark.parametrize("kind", ["gzip", "zstd", "xz", "bz2"])
@pytest.mark.parametrize("cut", [0.3, 0.9, -1])
def test_of_a_file_that_was_cut_off_the_readable_part_is_read(
    tmp_path: Path, kind: str, cut: float
) -> None:
    packed = PACKERS[kind](LARGE)
    at = len(packed) - 1 if cut < 0 else int(len(packed) * cut)
    source = opened(tmp_path, packed[:at])
    found = source.stream.read()
    assert LARGE.startswith(found)
    lost_max = 150_000  # the block that the cut goes through
    assert len(found) >= len(LARGE) * at / len(packed) - lost_max
    assert "it is cut off" in (source.damage() or "")
    assert source.is_cut_at(len(found)) == (found[-1:] != b"\n")


def test_of_a_small_gzip_file_nothing_that_is_readable_is_lost(tmp_path: Path) -> None:
    packed = gzip.compress(SMALL)
    whole = len(packed) - 8  # before the checksum
    source = opened(tmp_path, packed[:whole])
    assert source.stream.read() == SMALL
    assert "cut off" in (source.damage() or "")
    wrong = packed[:whole] + bytes(4) + packed[-4:]
    source = opened(tmp_path, wrong)
    assert source.stream.read() == SMALL
    assert "damaged gzip data" in (source.damage() or "")


@pytest.mark.parametrize("kind", PACKERS)
def test_damage_in_the_middle_ends_the_file_with_what_was_before(tmp_path: Path, kind: str) -> None:
    packed = bytearray(PACKERS[kind](LARGE))
    middle = len(packed) // 2
    packed[middle : middle + 40] = bytes(40)
    source = opened(tmp_path, bytes(packed))
    found = source.stream.read()
    assert f"damaged {kind} data" in (source.damage() or "")
    if kind == "gzip":
        sure = len(LARGE) // 2 - 150_000
        assert found[:sure] == LARGE[:sure]


@pytest.mark.parametrize("kind", PACKERS)
def test_what_follows_a_packed_file_is_told_and_padding_is_none(tmp_path: Path, kind: str) -> None:
    packed = PACKERS[kind](SMALL)
    for padding in (1, STEP_BYTES, 300_000):
        source = opened(tmp_path, packed + bytes(padding))
        assert (source.stream.read(), source.damage()) == (SMALL, None)
    source = opened(tmp_path, packed + b"rubbish")
    assert source.stream.read() == SMALL
    assert "something else follows" in (source.damage() or "")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_utf_16_is_read_as_text(tmp_path: Path, encoding: str, pack: Callable[..., bytes]) -> None:
    text = '{"n":1,"s":"grüße"}\n' * 20_000
    bom = {"utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    source = opened(tmp_path, pack(bom + text.encode(encoding)))
    assert source.stream.read() == text.encode()


def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder"):
        open_source(str(tmp_path), 0)
    with pytest.raises(SourceError, match="No such file"):
        open_source(str(tmp_path / "none"), 0)


def test_the_hash_of_a_prefix_is_had_at_any_place_but_not_behind(tmp_path: Path) -> None:
    prefix = Prefix()
    for at in range(0, len(SMALL), 100):
        prefix.add(SMALL[at : at + 100])
    for offset in (0, 1, 150, 150, len(SMALL)):
        assert prefix.digest_at(offset) == hashlib.sha256(SMALL[:offset]).hexdigest()
    assert prefix.digest_at(100) is None
    assert prefix.digest_at(len(SMALL) + 1) is None
