"""From one event's object to cells: the loop in which nearly all the time is spent.

Every step first tries the most frequent case (the predicted name, no white space, a comma) and
falls back to the general one. Cells are written one after the other and sorted by column later:
writing 24 columns at once would touch 24 places in memory per event.

The last member of a name wins, also when it is null: FIELD_LAST holds the cell in which the field
was seen before in this event, and that cell becomes dead. No list of the event's fields is needed.
"""

from common import limits
from common.kernels.compile import FAIL, FULL, Bytes, Int64s, compiled
from common.kernels.intrinsics import byte_at, get, put
from common.scan.kernel.ascii_codes import (
    CLOSE_BRACE,
    COLON,
    COMMA,
    MINUS,
    NINE,
    OPEN_BRACE,
    OPEN_BRACKET,
    QUOTE,
    SPACE,
    ZERO,
)
from common.scan.kernel.containers import ANY_SIZE, DEPTH_MAX, skip_value
from common.scan.kernel.literals import NO_BREAK, equal, read_literal, skip_blanks
from common.scan.kernel.numbers import INTEGER, read_number
from common.scan.kernel.strings import scan_string
from indexer.shred.kernel.keys import find_node, known_node
from indexer.shred.kernel.memory import (
    CELL,
    CELLS,
    CELLS_MAX,
    FIELD,
    FIELD_LAST,
    FIELD_SIZE,
    FIELD_WORDS,
    NODE,
    NODE_FIELD,
    NODE_INSIDE,
    NODE_NEXT,
    NODE_PARENT,
    NODE_QUOTED,
    NODE_TEXT,
    NODE_WORDS,
    OPENED,
    PARENTS,
    STAMP,
)

# Types of columns, in the order of their letters: b, f, i, j, s.
BOOL, FLOAT, INT, JSON, STRING = range(5)
_NAME_BYTES_MAX = limits.UNPACKED_NAME_BYTES_MAX


@compiled
def read_event(buffer: Bytes, at: int, row: int, depth: int, words: Int64s, arena: Bytes) -> int:
    """Write the cells of the object at `at`, unpacked to `depth`. Returns its end; or FAIL, FULL.

    After FAIL or FULL no cell of the event counts, because CELLS is unchanged, and the caller must
    advance STAMP.
    """
    stamp = get(words, STAMP)
    cell = get(words, CELLS)
    first = stamp + cell
    row_tag = row << 32
    parent = 0
    level = 0  # open objects around the member, the event's own not counted
    name_bytes = 0  # of the fields inside unpacked objects
    last = NODE + NODE_INSIDE  # where the next name is predicted
    if byte_at(buffer, at) != OPEN_BRACE:
        return FAIL
    at += 1
    if byte_at(buffer, at) != QUOTE:
        at = skip_blanks(buffer, at, NO_BREAK)
        if byte_at(buffer, at) == CLOSE_BRACE:
            return at + 1
    while True:
        # --- the name and its colon
        if byte_at(buffer, at) != QUOTE:
            at = skip_blanks(buffer, at, NO_BREAK)
            if byte_at(buffer, at) != QUOTE:
                return FAIL
        node = NODE + get(words, last) * NODE_WORDS
        quoted = get(words, node + NODE_QUOTED)
        if (
            quoted > 0
            and get(words, node + NODE_PARENT) == parent
            and equal(buffer, at, arena, get(words, node + NODE_TEXT) - 1, quoted)
        ):
            at += quoted
        else:
            found = scan_string(buffer, at + 1)
            if found < 0:
                return FAIL
            end = found >> 1
            number = FAIL
            if found & 1 == 0:
                number = known_node(buffer, at + 1, end - at - 1, parent, words, arena)
            if number < 0:
                number = find_node(buffer, at + 1, end - at - 1, found & 1, parent, words, arena)
                if number < 0:
                    return number
            put(words, last, number)
            node = NODE + number * NODE_WORDS
            at = skip_blanks(buffer, end + 1, NO_BREAK)
            if byte_at(buffer, at) != COLON:
                return FAIL
            at += 1
        last = node + NODE_NEXT
        field = get(words, node + NODE_FIELD)
        # --- the value
        byte = byte_at(buffer, at)
        if byte <= SPACE:
            at = skip_blanks(buffer, at, NO_BREAK)
            byte = byte_at(buffer, at)
        if byte == OPEN_BRACE:
            inside = skip_blanks(buffer, at + 1, NO_BREAK)
            if level < depth and byte_at(buffer, inside) != CLOSE_BRACE:
                if level + 1 >= DEPTH_MAX:
                    return FAIL
                put(words, PARENTS + level, parent)
                level += 1
                parent = (node - NODE) // NODE_WORDS
                last = node + NODE_INSIDE
                at = inside
                continue
        if cell >= CELLS_MAX:
            return FULL
        if level > 0:
            name_bytes += get(words, FIELD + field * FIELD_WORDS + FIELD_SIZE)
        last_at = FIELD + field * FIELD_WORDS + FIELD_LAST
        seen = get(words, last_at)
        if seen >= first:
            put(words, CELL + 2 * (seen - stamp), row_tag)  # dead: a later member of the name wins
            put(words, last_at, -1)
        if byte == QUOTE:
            found = scan_string(buffer, at + 1)
            if found < 0:
                return FAIL
            end = found >> 1
            put(words, CELL + 2 * cell, row_tag | (field << 3) | STRING)
            put(words, CELL + 2 * cell + 1, ((at + 1) << 32) | ((end - at - 1) << 1) | (found & 1))
            put(words, last_at, stamp + cell)
            cell += 1
            at = end + 1
        elif byte == MINUS or ZERO <= byte <= NINE:
            at, kind, value = read_number(buffer, at)
            if at < 0:
                return FAIL
            put(
                words, CELL + 2 * cell, row_tag | (field << 3) | (INT if kind == INTEGER else FLOAT)
            )
            put(words, CELL + 2 * cell + 1, value)
            put(words, last_at, stamp + cell)
            cell += 1
        elif byte == OPEN_BRACE or byte == OPEN_BRACKET:
            found = skip_value(buffer, at, NO_BREAK, level + 1, ANY_SIZE, words, OPENED)
            if found < 0:
                return FAIL
            end = found >> 1
            put(words, CELL + 2 * cell, row_tag | (field << 3) | JSON)
            put(words, CELL + 2 * cell + 1, (at << 32) | ((end - at) << 1) | (found & 1))
            put(words, last_at, stamp + cell)
            cell += 1
            at = end
        else:
            at, value = read_literal(buffer, at)
            if at < 0:
                return FAIL
            if value >= 0:
                put(words, CELL + 2 * cell, row_tag | (field << 3) | BOOL)
                put(words, CELL + 2 * cell + 1, value)
                put(words, last_at, stamp + cell)
                cell += 1
        # --- a comma, or the end of one object or more
        while True:
            byte = byte_at(buffer, at)
            if byte == COMMA:
                at += 1
                break
            if byte == CLOSE_BRACE:
                at += 1
                if level == 0:
                    if name_bytes > _NAME_BYTES_MAX:
                        return FAIL
                    put(words, CELLS, cell)
                    return at
                level -= 1
                last = NODE + parent * NODE_WORDS + NODE_NEXT
                parent = get(words, PARENTS + level)
                continue
            after = skip_blanks(buffer, at, NO_BREAK)
            if after == at:
                return FAIL
            at = after
