"""Whether a sample is a table: a row of names, and rows with as many values.

Prose and logs have commas too. A table's first row has short names that differ, begin with a
letter and have no blank before them, and nearly every row has as many values as it has names.
"""

import csv
import re
from collections import Counter
from typing import NamedTuple

from bellwether.send.formats.sample import Sample
from bellwether.send.formats.text.time import find_time

_NAME = re.compile(r"[^\W\d][^\n]{0,63}")
# an index without a name, a year: taken beside as many names that are proper
_UNUSUAL_NAME = re.compile(r"|\d[\w.%-]{0,30}")
_NAME_WORDS_MAX = 5  # "bytes sent (in kB, mean)"; more is a sentence
_COMMENT_COLUMNS = re.compile(r"#fields:?[ \t]", re.IGNORECASE)
_SEP = re.compile(r"sep=.", re.IGNORECASE)


class TableFound(NamedTuple):
    """kind: csv or tsv; read of rows: how many have as many values as there are names."""

    kind: str
    read: int
    rows: int
    names: tuple[str, ...]


def find_table(sample: Sample) -> TableFound | None:
    """The table that the lines are, the best delimiter of those that are usual; None for none."""
    lines = list(sample.lines)
    for line in lines:
        if _COMMENT_COLUMNS.match(line):
            kind = "tsv" if "\t" in line else "csv"
            return TableFound(kind, len(lines), len(lines), tuple(line.split()[1:]))
        if not line.startswith("#"):
            break
    if lines and _SEP.fullmatch(lines[0]):
        lines = lines[1:]
    lines = [line for line in lines if not line.startswith("#")]
    found = [table for delimiter in ",\t;|" if (table := _table(lines, delimiter, sample.hint))]
    return max(found, key=lambda table: (table.read, len(table.names)), default=None)


def headerless_width(sample: Sample) -> int:
    """How many values every row has if the lines look like a table's rows without names, else 0: a
    time, then values, as many in every row. A log that has a comma there has a blank after it.
    """
    for delimiter in ",\t;":
        rows = _first_lines(sample.lines, delimiter)
        widths = [width for _, width in rows]
        if len(rows) > 2 and widths[-1] != widths[0]:
            rows, widths = rows[:-1], widths[:-1]  # the sample ends within it
        if len(rows) < 2 or widths[0] < 3 or len(set(widths)) > 1:
            continue
        found = [(line, find_time(line)) for line, _ in rows]
        if all(
            time is not None and re.match(rf"{delimiter}\S", line[time.rest :])
            for line, time in found
        ):
            return widths[0]
    return 0


def _first_lines(lines: tuple[str, ...], delimiter: str) -> list[tuple[str, int]]:
    """Each row's first line, and how many values the row has; values may have line breaks."""
    reader = csv.reader([line + "\n" for line in lines], delimiter=delimiter)
    found = []
    begin = 0
    try:
        for row in reader:
            found.append((lines[begin], len(row)))
            begin = reader.line_num
    except csv.Error:
        return []
    return found


def rows_without_names(sample: Sample) -> int:
    """How many values every line has if the lines may be rows of a table without names, else 0."""
    if width := headerless_width(sample):
        return width
    for delimiter in ",\t;|":
        counts = {line.count(delimiter) for line in sample.lines}
        is_even = len(sample.lines) > 1 and len(counts) == 1 and 0 not in counts
        if is_even and not any(f"{delimiter} " in line for line in sample.lines):
            return counts.pop() + 1
    return 0


def _table(lines: list[str], delimiter: str, hint: str) -> TableFound | None:
    try:
        rows = list(csv.reader([line + "\n" for line in lines], delimiter=delimiter))
    except csv.Error:
        return None
    is_named_so = hint == ("tsv" if delimiter == "\t" else "csv")
    if len(rows) < (1 if is_named_so else 2):
        return None
    widths = Counter(map(len, rows))
    width = len(rows[0])
    names = tuple(rows[0])
    if width < 2 or not _are_names(names, is_named_so):
        return None
    kind = "tsv" if delimiter == "\t" else "csv"
    return TableFound(kind, widths[width], len(rows), names)


def _are_names(names: tuple[str, ...], is_named_so: bool) -> bool:
    if is_named_so:  # a format that the file's name states needs less evidence in its content
        names = tuple(name.strip() for name in names)
    if find_time(names[0]) is not None:
        return False
    proper = 0
    for name in names:
        if _NAME.fullmatch(name) and len(name.split()) <= _NAME_WORDS_MAX and "=" not in name:
            proper += 1
        elif not _UNUSUAL_NAME.fullmatch(name):
            return False
    return proper == len(names) or (proper >= 2 and proper * 2 >= len(names))
