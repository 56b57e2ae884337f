"""Names of attributes, each with its JSON text: predicted, else found by hash, else added.

As in `indexer.shred.kernel.keys`: the name that came next last time is compared first, and names
are hashed with secret seeds; a search ends after PROBES_MAX slots, and the item goes to the
reference.
"""

from common.kernels.compile import FAIL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import get, high_product, load64, put, shift_right, store8
from common.scan.kernel.ascii_codes import COLON, COMMA
from common.scan.kernel.literals import equal
from common.scan.kernel.strings import copy_run
from common.scan.kernel.texts import ESCAPED_BYTES, write_text
from shepherd.otlp.decode.kernel.fields import COUNT, FIXED
from shepherd.otlp.decode.kernel.memory import (
    ARENA,
    ARENA_BYTES,
    ARENA_KEPT,
    NAME,
    NAME_EVENT,
    NAME_HASHED,
    NAME_NEXT,
    NAME_RAW,
    NAME_SIZE,
    NAME_SLOT,
    NAME_TAIL,
    NAME_TEXT,
    NAME_TEXT_SIZE,
    NAME_WORDS,
    NAMES,
    NAMES_KEPT,
    NAMES_MAX,
    SEED,
    SEED_MORE,
    SLOTS,
)

PROBES_MAX = 64  # in a table half full, chance alone never gets there
_MIX = -7046029254386353131  # 2**64 / golden ratio, odd
_MORE = -4658895280553007687
_ROOM = 160  # beside a name's text: its punctuation, and what is overwritten after it


@inlined
def _folded(left: int, right: int) -> int:
    """Both halves of a 128-bit product, combined by XOR."""
    return int((left * right) ^ high_product(left, right))


@inlined
def _hashed(text: Bytes, at: int, size: int, words: Int64s) -> int:
    """Hash of a name, 8 bytes per step. Needs 8 bytes of padding after it."""
    key = get(words, SEED_MORE)
    mixed = _folded(get(words, SEED) ^ size, key)
    left = size
    while left > 8:
        mixed = _folded(mixed ^ load64(text, at), key ^ _MIX)
        at += 8
        left -= 8
    word = load64(text, at)
    if left < 8:
        word = word & ((1 << (8 * left)) - 1)
    return _folded(mixed ^ word ^ _MORE, key ^ _MIX)


@compiled
def empty_names(words: Int64s, arena: Bytes) -> None:
    """Remove all names but the fixed ones, at a cost of the number of names."""
    fresh = get(words, NAMES) == 0
    for name in range(FIXED, get(words, NAMES)):
        put(words, NAME_HASHED + get(words, NAME + name * NAME_WORDS + NAME_SLOT), 0)
    used = 0
    for name in range(FIXED):
        base = NAME + name * NAME_WORDS
        put(words, base + NAME_NEXT, FIXED - 1)
        if name < COUNT:
            used = get(words, base + NAME_TEXT) + get(words, base + NAME_TEXT_SIZE)
            if fresh:
                raw, size = get(words, base + NAME_RAW), get(words, base + NAME_SIZE)
                mixed = _hashed(arena, raw, size, words)
                slot = mixed & (SLOTS - 1)
                while get(words, NAME_HASHED + slot) != 0:
                    slot = (slot + 1) & (SLOTS - 1)
                put(words, NAME_HASHED + slot, (shift_right(mixed, 32) << 32) | (name + 1))
                put(words, base + NAME_SLOT, slot)
        else:
            put(words, base + NAME_SIZE, -1)
    put(words, NAMES, FIXED)
    put(words, ARENA, used)


@inlined
def many_names(words: Int64s) -> bool:
    """Whether the table should be emptied before another item is read."""
    return bool(get(words, NAMES) > NAMES_KEPT or get(words, ARENA) > ARENA_KEPT)


@compiled
def _add(
    buffer: Bytes, at: int, size: int, words: Int64s, arena: Bytes, slot: int, tag: int
) -> int:
    """Add a name; FAIL if there is no room, or if it is not UTF-8."""
    name = get(words, NAMES)
    text = get(words, ARENA)
    if name >= NAMES_MAX or text + (ESCAPED_BYTES + 1) * size + _ROOM > ARENA_BYTES:
        return FAIL
    store8(arena, text, COMMA)
    end = write_text(buffer, at, at + size, arena, text + 1)
    if end < 0:
        return FAIL
    store8(arena, end, COLON)
    end += 1
    base = NAME + name * NAME_WORDS
    put(words, base + NAME_RAW, text + 2)
    put(words, base + NAME_SIZE, size)
    put(words, base + NAME_TEXT, text)
    put(words, base + NAME_TEXT_SIZE, end - text)
    put(words, base + NAME_NEXT, FIXED - 1)
    put(words, base + NAME_EVENT, 0)
    put(words, base + NAME_TAIL, 0)
    put(words, base + NAME_SLOT, slot)
    if end - text != size + 4:  # with escapes: as it came too
        copy_run(arena, end, buffer, at, size)
        put(words, base + NAME_RAW, end)
        end += size
    put(words, NAME_HASHED + slot, (tag << 32) | (name + 1))
    put(words, NAMES, name + 1)
    put(words, ARENA, end)
    return int(name)


@compiled
def find_name(buffer: Bytes, at: int, size: int, words: Int64s, arena: Bytes) -> int:
    """The name buffer[at:at+size], added if it is new; or FAIL."""
    mixed = _hashed(buffer, at, size, words)
    tag = shift_right(mixed, 32)
    slot = mixed & (SLOTS - 1)
    for _ in range(PROBES_MAX):
        entry = get(words, NAME_HASHED + slot)
        if entry == 0:
            return _add(buffer, at, size, words, arena, slot, tag)
        if shift_right(entry, 32) == tag:
            name = (entry & 0xFFFFFFFF) - 1
            base = NAME + name * NAME_WORDS
            if get(words, base + NAME_SIZE) == size and equal(
                buffer, at, arena, get(words, base + NAME_RAW), size
            ):
                return int(name)
        slot = (slot + 1) & (SLOTS - 1)
    return FAIL


@inlined
def predicted_name(
    buffer: Bytes, at: int, size: int, last: int, words: Int64s, arena: Bytes
) -> int:
    """The same; the name that came after `last` last time is compared first."""
    name = get(words, NAME + last * NAME_WORDS + NAME_NEXT)
    base = NAME + name * NAME_WORDS
    if get(words, base + NAME_SIZE) == size and equal(
        buffer, at, arena, get(words, base + NAME_RAW), size
    ):
        return int(name)
    name = find_name(buffer, at, size, words, arena)
    if name >= 0:
        put(words, NAME + last * NAME_WORDS + NAME_NEXT, name)
    return int(name)
