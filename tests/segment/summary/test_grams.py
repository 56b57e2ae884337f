"""A segment is left out of a search only if no text of it holds the text."""

import random
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment.summary import grams
from segment.summary.grams import GramBuilder, Grams, may_hold
from segment.summary.sizes import LETTER_GRAM_BITS_MAX, MIXED_GRAM_BITS_MAX

TEXTS = st.text(st.sampled_from("abkksXYZ_019 -.\nÜü\u212a\u017fß語"), max_size=40)


def of(*texts: str) -> Grams:
    builder = GramBuilder()
    builder.add(pa.array(list(texts), pa.large_string()))
    return builder.made()


@settings(deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=20), chance=st.randoms(use_true_random=False))
def test_every_part_of_a_text_may_be_held_whatever_its_case(
    texts: list[str], chance: random.Random
) -> None:
    found = of(*texts)
    for text in texts:
        for _ in range(5):
            first = chance.randrange(len(text) + 1)
            part = text[first : first + chance.randrange(20)]
            for case in (part, part.upper(), part.lower(), part.title()):
                if re.search(re.escape(case), text, re.IGNORECASE):
                    assert may_hold(found, case), (text, case)


def test_words_that_no_text_holds_rule_a_segment_out() -> None:
    found = of("GOAWAY: Frame_Size error on stream 5", "request 4bf92f3577b34da6 refused")
    for held in ("frame_size", "AME_SI", "4bf92f35", "error on", "fused"):
        assert may_hold(found, held)
    for other in ("frame_too_large", "timeout", "4bf92f36", "stream_5", "refused by peer_12"):
        assert not may_hold(found, other)
    assert may_hold(found, "oom")  # too short to be known


def test_texts_beside_each_other_are_not_read_as_one() -> None:
    assert not may_hold(of("time", "out", "x"), "timeout")
    assert not may_hold(of("12ab", "34cd"), "12ab34cd")


def test_columns_and_parts_of_large_ones_are_read_to_their_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [f"message {number:08d} of some_words" for number in range(200)]
    whole = of(*texts)
    for chunk in (8, 61, 4_096):
        monkeypatch.setattr(grams, "_CHUNK", chunk)
        assert of(*texts) == whole
    builder = GramBuilder()
    for at in range(0, 200, 50):  # slices of one array: offsets do not begin at 0
        builder.add(pa.array(texts, pa.large_string())[at : at + 50])
    assert builder.made() == whole


def test_very_many_ids_take_no_more_memory_and_rule_out_less() -> None:
    chance = random.Random(4)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(40_000)]
    found = of(*(f"trace {one} was kept" for one in ids))
    assert found.letters is not None
    assert found.mixed is not None
    assert len(found.letters.bits) * 8 <= LETTER_GRAM_BITS_MAX
    assert len(found.mixed.bits) * 8 <= MIXED_GRAM_BITS_MAX
    assert found.mixed.forgotten > 0
    assert all(may_hold(found, one) for one in ids[:500])
    others = [f"{chance.getrandbits(128):032x}" for _ in range(500)]
    assert sum(not may_hold(found, one) for one in others) > 250
    assert not may_hold(found, "frame_too_large")


def test_a_table_that_would_say_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grams, "MIXED_GRAM_BITS_MAX", 2**12)
    chance = random.Random(5)
    found = of(*(f"{chance.getrandbits(128):032x}" for _ in range(40_000)))
    assert found.mixed is None
    assert may_hold(found, f"{chance.getrandbits(128):032x}")
