"""A manifest is read as it was written, or an error says that it is damaged (I4)."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DamagedObject
from snapshot.documents.checksummed import DocumentTooNew, decode_checksummed, encode_checksummed
from snapshot.documents.epochs import Epoch, split_stray
from snapshot.documents.manifest import (
    HourMarker,
    Manifest,
    decode_manifest,
    encode_manifest,
    manifest_key,
    pack_batches,
    parse_manifest_key,
    unpack_batches,
)
from snapshot.documents.same_content import same_content

batches = st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.integers(0, 2**63 - 1)))


def manifest(next_offset: int = 10, **changes: object) -> Manifest:
    values: dict[str, object] = {
        "partition": 3,
        "epoch": "ab12",
        "epoch_number": 1,
        "first_offset": 0,
        "next_offset": next_offset,
        "predecessor": None,
        "last_batch": "00" * 16,
        "last_append_ns": 5,
        "rows": 0,
        "segments": [],
        "batches": pack_batches([(bytes(16), 3)]),
        "hour_markers": [HourMarker(480_000, 4)],
        "watermark_ns": 5,
        "gaps": [],
        "set_aside": [],
        "datasets": ["d"],
        "gone": [],
        "writer": "test",
        "zone": "a",
        "created_ns": 6,
    }
    return Manifest(**(values | changes))  # type: ignore[arg-type]  # checked by round trip


@given(batches)
def test_batch_lists_round_trip(pairs: list[tuple[bytes, int]]) -> None:
    assert unpack_batches(pack_batches(pairs)) == pairs


@given(st.data())
def test_any_cut_off_or_flipped_manifest_is_damaged(data: st.DataObject) -> None:
    whole = manifest()
    raw = bytearray(encode_manifest(whole))
    if data.draw(st.booleans()):
        damaged = bytes(raw[: data.draw(st.integers(0, len(raw) - 3))])
    else:
        at = data.draw(st.integers(0, len(raw) - 2))
        raw[at] ^= 1 << data.draw(st.integers(0, 7))
        damaged = bytes(raw)
    try:
        read = decode_manifest(damaged, whole.key)
    except DamagedObject:
        return
    assert read == whole  # a flip in the letter case of the checksum would be harmless


def test_manifest_round_trips_and_keys_sort_like_the_chain() -> None:
    assert decode_manifest(encode_manifest(manifest()), manifest().key) == manifest()
    keys = [manifest_key(3, 1, 9), manifest_key(3, 1, 10), manifest_key(3, 2, 0)]
    assert sorted(keys) == keys
    assert parse_manifest_key(keys[1]) == (3, 1, 10)


def test_newer_format_is_told_apart_from_damage() -> None:
    body = encode_checksummed(manifest(format=Manifest.newest_format + 1))
    with pytest.raises(DocumentTooNew):
        decode_manifest(body, manifest().key)
    assert hashlib.sha256(b"").hexdigest() not in body.decode()


def test_twins_differ_in_writer_and_time_but_not_in_content() -> None:
    assert same_content(manifest(), manifest(writer="x", zone="b", created_ns=9)) == []
    assert same_content(manifest(), manifest(datasets=[])) == ["datasets"]


def test_manifests_beyond_a_closed_epoch_are_stray() -> None:
    def epoch(number: int, predecessor: str | None) -> Epoch:
        return Epoch(
            partition=3,
            number=number,
            log="x",
            first_offset=0,
            predecessor=predecessor,
            gap=None,
            reason="test",
            writer="w",
            zone="a",
            opened_ns=0,
        )

    keys = [manifest_key(3, 1, 5), manifest_key(3, 1, 9), manifest_key(3, 2, 4)]
    epochs = [epoch(1, None), epoch(2, keys[0])]
    assert split_stray(keys, epochs) == ([keys[0], keys[2]], [keys[1]])
    assert decode_checksummed(encode_checksummed(epochs[1]), Epoch, "k") == epochs[1]
