"""Hard msgpack: values in every width that holds them, bodies at the edge, a sample to damage."""

import random
import struct
from collections.abc import Sequence

import msgpack

EDGES = [0, 1, 31, 32, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, 2**31 - 1, 2**31,
         2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]  # fmt: skip
INTEGERS = sorted({*EDGES, *(-edge for edge in EDGES if edge <= 2**63), -33, -129})
FLOATS = [0.0, -0.0, 1.0, 1.5, -2.25, 0.1, 1e-4, 9.999e-5, 1e15, 9999999999999998.0, 1e16, 1e22,
          -1e300, 5e-324, 1.7976931348623157e308, 2.0**-1074 * 3, float("inf"), float("nan"),
          1_700_000_000.25, 3.4028234663852886e38]  # fmt: skip
TEXTS = [
    b"", b"a", b'"', b"\\", b"/", b"\x00", b"\x1f\x7f", b"\b\t\n\x0b\f\r", "é€😀".encode(),
    ("x" * 31 + "é").encode(), "\u2028".encode(), b"\xff", b"\xc3", b"a\xe2\x82", b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80", b"\xc0\x80", b"n" * 40, b'"' * 33, b"time", b"data",
]  # fmt: skip
EXTENSIONS = [
    b"\xd4\x05x", b"\xd5\x05xx", b"\xd6\x05xxxx", b"\xd8\xffx" + b"x" * 15, b"\xc7\x00\x05",
    b"\xc7\x03\xffxxx", b"\xc7\x04\xff\x00\x00\x00\x01", b"\xd6\xff\x65\x00\x00\x00",
    b"\xd7\xff" + struct.pack(">Q", 999_999_999 << 34 | 1_700_000_000),
    b"\xd7\xff" + struct.pack(">Q", 1_000_000_000 << 34 | 1_700_000_000),
    b"\xc7\x0c\xff" + struct.pack(">Iq", 5, -5), b"\xc7\x0c\xff" + struct.pack(">Iq", 5, 2**40),
    b"\xc7\x0c\xff" + struct.pack(">Iq", 10**9, 5), b"\xc7\x0c\xff" + struct.pack(">Iq", 7, 9**9),
    b"\xc7\x0c\xff" + struct.pack(">Iq", 854_775_807, 9_223_372_036),
    b"\xc7\x0c\xff" + struct.pack(">Iq", 854_775_808, 9_223_372_036),
    b"\xc8\x00\x04\xff\x00\x00\x00\x01", b"\xc9\x00\x00\x00\x02\x05xx",
    b"\xd8\xa4" + b"x" * 16, b"\xd6\x80xxxx", b"\xc7\x01\xfex",  # types that msgpack may define yet
]  # fmt: skip


def in_every_width(number: int) -> list[bytes]:
    """The integer under every head that can hold it."""
    found = []
    for head, form in zip(
        range(0xCC, 0xD4), (">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"), strict=True
    ):
        try:
            found.append(bytes([head]) + struct.pack(form, number))
        except struct.error:
            continue
    return found if not -32 <= number <= 127 else [*found, struct.pack(">b", number)]


def text_in_every_width(text: bytes) -> list[bytes]:
    """As str and as bin."""
    found = [bytes([0xA0 | len(text)]) + text] if len(text) < 32 else []
    for width, form in enumerate((">B", ">H", ">I")):
        if len(text) < 1 << (8 << width):
            length = struct.pack(form, len(text))
            found += [bytes([head + width]) + length + text for head in (0xD9, 0xC4)]
    return found


def container(values: Sequence[bytes], *, is_map: bool, wide: int = 0) -> bytes:
    """An array of these, or a map of their pairs. wide: bytes of the length, 0 for the shortest."""
    count = len(values) // 2 if is_map else len(values)
    if wide == 0 and count < 16:
        head = bytes([(0x80 if is_map else 0x90) | count])
    elif wide <= 2 and count < 65_536:
        head = struct.pack(">BH", 0xDE if is_map else 0xDC, count)
    else:
        head = struct.pack(">BI", 0xDF if is_map else 0xDD, count)
    return head + b"".join(values)


def scalars() -> list[bytes]:
    """Values without others in them, in every form."""
    found = [b"\xc0", b"\xc2", b"\xc3", *EXTENSIONS]
    for number in INTEGERS:
        found += in_every_width(number)
    for real in FLOATS:
        found.append(b"\xcb" + struct.pack(">d", real))
        found.append(b"\xca" + struct.pack(">f", real if abs(real) < 1e38 else 0.1))
    for text in TEXTS:
        found += text_in_every_width(text)
    return [*found, b"\xca\x7f\x80\x00\x00", b"\xca\x00\x00\x00\x01", b"\xca\x7f\xbf\xff\xff"]


def event(value: bytes, *, name: bytes = b"\xa1a") -> bytes:
    """An event of which one field has this value, or this name."""
    return container([b"\xa4data", container([name, value, b"\xa1z", b"\x01"], is_map=True)],
                     is_map=True)  # fmt: skip


GOOD = event(b"\x01")
BODIES = [
    b"", b"\x90", b"\x90\x00", b"\xdc\x00\x00", b"\xdd\x00\x00\x00\x00", b"\x80", b"\xc0", b"\x01",
    b"\xdd\xff\xff\xff\xff", b"\x91", b"\x91\xc1", b"\x91\xc0", b"\x91\x80", b"\x91\x90",
    b"\x92\x01",
    b"\x91\xdf\xff\xff\xff\xff", b"\x91\xdb\xff\xff\xff\xff", b"\x91\x81\xa4data",
    b"\x91\x81\xa4dat", b"\x91\x81\xa4data\x80", b"\x91\x81\xa4data\x01",
    b"\x91\x81\xc4\x04data\x81\xa1a\x01", b"\x91\x82\xa4data\x81\xa1a\x01\xa4data\x81\xa1b\x02",
    b"\x91\x82\xa4data\x01\xa4data\x81\xa1b\x02", b"\x91\x82\xa4data\x81\xa1b\x02\xa4data\x01",
    b"\x91\x84\x01\x02\xc3\x03\x91\x01\x04" + GOOD[1:], b"\x92" + GOOD + b"\x81\xa4data\xc0",
    b"\x91" + GOOD + b"\x00", b"\x93" + GOOD * 2,
    b"\x91\x81\xa4data\xde\x00\x01\xa1a\xdc\x00\x01\xdd\x00\x00\x00\x00",
    b"\x91\x81\xa4data\x83\xa1a\x01\xa1a\x02\xc4\x01a\x03",
    b"\x91\x81\xa4data\x82\x07\x01\xa17\x02",
    b"\x91\x82\xa4time\xc0\xa4data\x81\xa0\x80", b"\x91\x81\xa5\xffdata\x01",
    b"\x91\x82\xd8\xa4" + b"n" * 16 + b"\x01\xa4data\x82a\x01m\x01",
]  # fmt: skip
TIMES = [
    *EXTENSIONS, *(n for edge in (0, 1, 1_700_000_000, 9_223_372_036, 9_223_372_037, 9_999_999_999,
    10**10, 10**12 - 1, 10**12, 1_700_000_000_123, 9_223_372_036_854, 9_223_372_036_855, 10**13,
    1_700_000_000_123_456, 9_223_372_036_854_775, 9_223_372_036_854_776, 10**16,
    1_700_000_000_123_456_789, 10**18, 2**63 - 1, 2**63, 2**64 - 1, -1, -(2**63)) for n in
    in_every_width(edge)),
    *(b"\xcb" + struct.pack(">d", real) for real in (*FLOATS, 1_700_000_000.123456, -1.5, 1e10,
    9_223_372_036.5, 9_223_372_037.5, 0.25, 1e-5, 123.0)),
    b"\xca\x3f\x80\x00\x00", b"\xc3", b"\x90", b"\xc0", b"\xa0", b"\xa10", b"\xca\x00\x00\x00\x00",
    *(b"\xc7\x0c\xff" + struct.pack(">Iq", nanos, -62_135_596_800 + more)
      for nanos, more in ((0, 0), (1, 0), (0, 3_600), (0, -1), (0, 31_536_000), (0, -40_000_000))),
    b"\xd6\xff\x00\x00\x00\x00", b"\xd7\xff" + bytes(8),
    *text_in_every_width(b"0001-01-01T00:00:00Z"), *in_every_width(-62_135_596_800),
    b"\xcb" + struct.pack(">d", -62_135_596_800.0),
]  # fmt: skip
SAMPLE = b"\x93" + b"".join(
    msgpack.packb(one)
    for one in (
        {"data": {"a": 1, "b": -2.5e-7, "c": 'x"\n', "d": True, "e": None, "f": 2**40, "g": -7}},
        {"samplerate": 10, "time": 1_700_000_000.25, "data": {"a": {"b": [1, "é€", {}, [0.5]]}}},
        {"time": msgpack.Timestamp(1_700_000_000, 5), "data": {7: b"x", "o": {"p": {"q": 300}}}},
    )
)


def any_value(dice: random.Random, some: Sequence[bytes], depth: int) -> bytes:
    """A value of this many levels at most."""
    if depth == 0 or dice.random() < 0.5:
        return dice.choice(some)
    is_map = dice.random() < 0.6
    count = dice.choice((0, 1, 2, 3, 5, 17)) * (2 if is_map else 1)
    inside = [any_value(dice, some, depth - 1) for _ in range(count)]
    if is_map and dice.random() < 0.9:
        inside[::2] = [dice.choice((b"\xa1a", b"\xa1b", b"\xa3a.b", b"\xa0", b"\x07", b"\xc4\x01a"))
                       for _ in inside[::2]]  # fmt: skip
    return container(inside, is_map=is_map, wide=dice.choice((0, 0, 2, 4)))


def any_body(dice: random.Random, some: Sequence[bytes]) -> bytes:
    """A batch of a few events, most of them in order."""
    events = []
    for _ in range(dice.choice((0, 1, 2, 4))):
        members = []
        for name in dice.choices((b"\xa4data", b"\xa4time", b"\xaasamplerate", b"\xa1x"), k=3):
            members += [name, any_value(dice, some, 3)]
        events.append(container(members, is_map=True))
    return container(events, is_map=False)
