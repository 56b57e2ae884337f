"""Damage to JSON lines that parsers find hard: bytes, tokens, pieces of other inputs, numbers."""

import random
from collections.abc import Callable, Sequence

PIECES = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"0", b"12345678", b".", b"e", b"E+", b"-",
    b" ", b"\t", b"\r", b"\n", b"\x00", b"\x1f", b"\x7f", b"\x80", b"\xc2", b"\xe2\x82",
    b"\xed\xa0", b"\xf0\x9f\x98\x80", b"\xf4\x90", b"\\ud83d", b"\\ude00", b"\\u00e9", b"\\u0061",
    b"\\n", b'\\"', b"\\\\", b"true", b"false", b"null", b"NaN", b"Infinity", b'{"a":', b'"b":',
    b'"a":1,', b'"":', b"{}", b"[]", b'""', b'{"t":1,"r":1,"d":', b"}}\n", b"k" * 40,
    b'"' + b"n" * 29 + b'":', b" " * 33, b"9223372036854775807", b"9223372036854775808",
    b"99999999999999999999", b"1e308", b"1e-324", b"4.9e-324", b"0.30000000000000004",
    b"1.00000000000000011102230246251565", b"00", b"-0", b"-0.0", b"[[[[[[[[[[",
    b'{"a":{"a":{"a":', b'"a.a":', b'"a.b":', b'"\\u0061":',
]  # fmt: skip
_DIGITS = b"0123456789"
_LENGTHS = (1, 1, 1, 2, 4, 9, 31, 32, 33)
Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def _delete(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    at = dice.randrange(len(text) + 1)
    del text[at : at + dice.choice(_LENGTHS)]


def _insert(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    at = dice.randrange(len(text) + 1)
    text[at:at] = dice.choice(PIECES) * dice.choice((1, 1, 1, 1, 2, 20))


def _change_byte(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    if text:
        text[dice.randrange(len(text))] = dice.randrange(256)


def _flip_bit(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    if text:
        text[dice.randrange(len(text))] ^= 1 << dice.randrange(8)


def _repeat(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    begin = dice.randrange(len(text) + 1)
    part = text[begin : begin + dice.randrange(60)]
    at = dice.randrange(len(text) + 1)
    text[at:at] = part * dice.choice((1, 1, 1, 3, 20))


def _splice(dice: random.Random, text: bytearray, corpus: Sequence[bytes]) -> None:
    other = dice.choice(corpus)
    begin = dice.randrange(len(other) + 1)
    at = dice.randrange(len(text) + 1)
    end = at + dice.randrange(60) if dice.random() < 0.5 else at
    text[at:end] = other[begin : begin + dice.randrange(80)]


def _digits(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    """Change a digit, or lengthen a number."""
    places = [at for at, byte in enumerate(text) if byte in _DIGITS]
    if places:
        at = dice.choice(places)
        count = dice.choice((1, 1, 1, 2, 8, 9, 19, 20, 300))
        more = bytes(dice.choices(_DIGITS, k=count))
        text[at : at + dice.randrange(2)] = more


def _blanks(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    """White space beside a token."""
    places = [at for at, byte in enumerate(text) if byte in b"{}[]:,"]
    if places:
        at = dice.choice(places) + dice.randrange(2)
        text[at:at] = dice.choice((b" ", b"\t", b"\r", b"  ", b"\n")) * dice.choice((1, 1, 40))


def _member(dice: random.Random, text: bytearray, _: Sequence[bytes]) -> None:
    """One more member, of a name that may be there already."""
    places = [at for at, byte in enumerate(text) if byte in b"{,"]
    if places:
        at = dice.choice(places) + 1
        name = dice.choice((b"a", b"b", b"a.b", b"", b"k%d" % dice.randrange(40)))
        value = dice.choice((b"1", b"2.5", b'"x"', b"null", b"true", b"[]", b"{}", b'{"b":1}'))
        text[at:at] = b'"%b":%b,' % (name, value)


MUTATIONS: tuple[Mutation, ...] = (
    _delete, _insert, _change_byte, _flip_bit, _repeat, _splice, _digits, _blanks, _member,
)  # fmt: skip


def mutated(dice: random.Random, text: bytes, corpus: Sequence[bytes], bytes_max: int) -> bytes:
    """One to eight changes in a row."""
    changed = bytearray(text)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 5, 8))):
        dice.choice(MUTATIONS)(dice, changed, corpus)
    return bytes(changed[:bytes_max])
