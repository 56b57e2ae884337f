"""The walk over the text: objects become messages, members become fields."""

from common.kernels.compile import FAIL, Bytes, Int64s, compiled, inlined
from common.kernels.intrinsics import (
    byte_at,
    differing,
    get,
    load64,
    put,
    shift_right,
    store8,
)
from common.scan.kernel.ascii_codes import (
    CLOSE_BRACE,
    CLOSE_BRACKET,
    COLON,
    COMMA,
    LINE_BREAK,
    LOWER_N,
    OPEN_BRACE,
    OPEN_BRACKET,
    QUOTE,
)
from common.scan.kernel.containers import ANY_SIZE, skip_value
from common.scan.kernel.lexemes import NOT_FINITE, NUMBER, STRING, lexeme
from common.scan.kernel.literals import read_literal, skip_blanks
from common.scan.kernel.strings import scan_string
from shepherd.otlp.json.kernel.lengths import write_length
from shepherd.otlp.json.kernel.scalars import write_scalar, write_tag
from shepherd.otlp.json.kernel.tables import (
    AT,
    BROKEN,
    DEPTH,
    DONE,
    ENTRIES,
    ENTRY_WORDS,
    FIELD_ANY,
    FIELD_BIT,
    FIELD_ITEMS,
    FIELD_REPEATED,
    FIELD_TYPE,
    FRAME_SEEN,
    FRAME_SLOT,
    FRAME_WHAT,
    FRAME_WORDS,
    FRAMES,
    FRAMES_MAX,
    FRESH,
    HASH,
    HASH_BITS,
    HASH_FACTOR,
    MESSAGE_WORDS,
    MESSAGES,
    MORE,
    NAME_BYTES,
    NESTING,
    NESTING_MAX,
    NESTS,
    ODD,
    ODD_AT,
    ODD_ELEMENT,
    ODD_END,
    ODD_FIELD,
    OPENED,
    RESERVED,
    TO,
)


@inlined
def name_hash(message: int, first: int, last: int, size: int) -> int:
    """Where the search for a name begins. first, last: its first and last eight bytes."""
    mixed = (first ^ (last << 1) ^ (message << 7) ^ size) * HASH_FACTOR
    return int(shift_right(mixed, 64 - HASH_BITS))


@inlined
def _field_of(buffer: Bytes, at: int, size: int, message: int, tables: Int64s, names: Bytes) -> int:
    """The field that a name is of in a message: the position of its words, or FAIL."""
    if size > NAME_BYTES:
        return FAIL
    first = load64(buffer, at)
    if size < 8:
        first = first & ((1 << (8 * size)) - 1)
        last = first
    else:
        last = load64(buffer, at + size - 8)
    place = name_hash(message, first, last, size)
    while True:
        entry = get(tables, HASH + place) - 1
        if entry < 0:
            return FAIL
        words = ENTRIES + entry * ENTRY_WORDS
        if (
            get(tables, words) == message
            and get(tables, words + 1) == size
            and differing(buffer, at, names, entry * NAME_BYTES) & ((1 << size) - 1) == 0
        ):
            return int(get(tables, words + 2))
        place = (place + 1) & ((1 << HASH_BITS) - 1)


@compiled
def _value_end(buffer: Bytes, at: int, words: Int64s) -> int:
    """Where a value ends that is at least one by its brackets and quotes, or FAIL."""
    byte = byte_at(buffer, at)
    if byte == OPEN_BRACE or byte == OPEN_BRACKET:
        found = skip_value(buffer, at, LINE_BREAK, 0, ANY_SIZE, words, OPENED)
        return found >> 1 if found >= 0 else FAIL
    kind, end, _ = lexeme(buffer, at)
    if kind == STRING or kind == NUMBER or kind == NOT_FINITE:
        return end
    end, _ = read_literal(buffer, at)
    return end


@inlined
def _write_empty(tables: Int64s, field: int, out: Bytes, to: int) -> int:
    """Write an empty message; returns the position after it."""
    to = write_tag(tables, field, out, to)
    store8(out, to, 0)
    return to + 1


@inlined
def _leave(words: Int64s, state: int, at: int, to: int, depth: int, fresh: int) -> int:
    put(words, AT, at)
    put(words, TO, to)
    put(words, DEPTH, depth)
    put(words, FRESH, fresh)
    return state


@compiled
def _odd(
    buffer: Bytes, at: int, to: int, depth: int, field: int, element: int, words: Int64s
) -> int:
    """End the pass at a value that the reference has to write."""
    end = _value_end(buffer, at, words)
    if end < 0:
        return BROKEN
    put(words, ODD_FIELD, field)
    put(words, ODD_ELEMENT, element)
    put(words, ODD_AT, at)
    put(words, ODD_END, end)
    return _leave(words, ODD, end, to, depth, 0)


@compiled
def transcode(
    buffer: Bytes,
    length: int,
    stop: int,
    tables: Int64s,
    names: Bytes,
    words: Int64s,
    out: Bytes,
) -> int:
    """Write the text's message on, from where `words` say. Returns how the pass ended.

    length: of the text in `buffer`. stop: from there on the pass ends with MORE, at a comma.
    """
    at, to = get(words, AT), get(words, TO)
    depth, fresh = get(words, DEPTH), get(words, FRESH)
    if depth < 0:
        at = skip_blanks(buffer, at, LINE_BREAK)
        if byte_at(buffer, at) != OPEN_BRACE:
            return BROKEN
        at += 1
        depth, fresh = 0, 1
    while True:
        frame = FRAMES + depth * FRAME_WORDS
        message = get(words, frame + FRAME_WHAT)
        at = skip_blanks(buffer, at, LINE_BREAK)
        byte = byte_at(buffer, at)
        # --- the end of the object or list
        if byte == (CLOSE_BRACE if message >= 0 else CLOSE_BRACKET):
            at += 1
            if depth == 0:
                at = skip_blanks(buffer, at, LINE_BREAK)
                return _leave(words, DONE if at == length else BROKEN, at, to, depth, 0)
            if message >= 0:
                about = MESSAGES + message * MESSAGE_WORDS
                slot = get(words, frame + FRAME_SLOT)
                to = write_length(out, slot, get(tables, about + RESERVED), to)
                put(words, NESTING, get(words, NESTING) - get(tables, about + NESTS))
            depth -= 1
            fresh = 0
            continue
        # --- to the value of the next member, or the next element
        if not fresh:
            if byte != COMMA:
                return BROKEN
            if at >= stop:
                return _leave(words, MORE, at, to, depth, 0)
            at = skip_blanks(buffer, at + 1, LINE_BREAK)
            byte = byte_at(buffer, at)
        fresh = 0
        element = 1
        field = -1 - message
        if message >= 0:
            element = 0
            found = scan_string(buffer, at + 1) if byte == QUOTE else FAIL
            if found < 0 or found & 1:
                return BROKEN
            name, end = at + 1, found >> 1
            at = skip_blanks(buffer, end + 1, LINE_BREAK)
            if byte_at(buffer, at) != COLON:
                return BROKEN
            at = skip_blanks(buffer, at + 1, LINE_BREAK)
            byte = byte_at(buffer, at)
            field = _field_of(buffer, name, end - name, message, tables, names)
            if field < 0:
                at = skip_value(buffer, at, LINE_BREAK, 0, ANY_SIZE, words, OPENED) >> 1
                if at < 0:
                    return BROKEN
                continue
            seen, bit = get(words, frame + FRAME_SEEN), get(tables, field + FIELD_BIT)
            if seen & bit:
                return BROKEN  # of members with the same name the last one counts
            if byte != LOWER_N:
                put(words, frame + FRAME_SEEN, seen | bit)
        # --- null
        if byte == LOWER_N:
            at, value = read_literal(buffer, at)
            if at < 0 or value >= 0:
                return BROKEN
            if element and get(tables, field + FIELD_ANY):  # it keeps its position
                to = _write_empty(tables, field, out, to)
            continue
        # --- a scalar, or a list of them
        inner = get(tables, field + FIELD_TYPE)
        if inner < 0:
            if get(tables, field + FIELD_REPEATED):
                return _odd(buffer, at, to, depth, field, 0, words)
            end, to = write_scalar(buffer, at, tables, field, out, to)
            if end < 0:
                return _odd(buffer, at, to, depth, field, 0, words)
            at = end
            continue
        # --- a message, or a list of messages
        opens_list = not element and get(tables, field + FIELD_REPEATED)
        nests = get(tables, MESSAGES + inner * MESSAGE_WORDS + NESTS)
        if byte == (OPEN_BRACKET if opens_list else OPEN_BRACE):
            if depth == FRAMES_MAX - 1:
                return BROKEN
            if nests and get(words, NESTING) == get(words, NESTING_MAX):
                at = _value_end(buffer, at, words)
                if at < 0:
                    return BROKEN
                to = _write_empty(tables, field, out, to)
                continue
            depth += 1
            frame += FRAME_WORDS
            fresh = 1
            at += 1
            if opens_list:
                put(words, frame + FRAME_WHAT, -1 - field)
                continue
            to = write_tag(tables, field, out, to)
            put(words, NESTING, get(words, NESTING) + nests)
            put(words, frame + FRAME_WHAT, inner)
            put(words, frame + FRAME_SLOT, to)
            put(words, frame + FRAME_SEEN, 0)
            to += get(tables, MESSAGES + inner * MESSAGE_WORDS + RESERVED)
            continue
        if get(tables, field + FIELD_ITEMS):
            return BROKEN
        if get(tables, field + FIELD_ANY) and not opens_list:
            return _odd(buffer, at, to, depth, field, element, words)
        at = _value_end(buffer, at, words)  # of another type: left out
        if at < 0:
            return BROKEN
