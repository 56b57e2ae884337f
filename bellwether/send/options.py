"""What the user said about how a file is to be read: the formats' own options."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Each field belongs to the formats that name it in their help; its default means "not said".

    They are part of what a load is: other options make other batches.

    csv, tsv: no_header: the first row is an event; header: it has the names, whatever it looks
    like; columns: names of the columns, for a file that has none.
    pattern: a regular expression whose named groups are the fields; continuation: one that is
    found in lines that go on with the line before (formats of lines).
    borders: offsets at which earlier loads of this file ended. What was an entry then stays one, so
    its lines are not stored once more; no choice of the user's.
    """

    no_header: bool = False
    header: bool = False
    columns: tuple[str, ...] = ()
    pattern: str | None = None
    continuation: str | None = None
    borders: frozenset[int] = field(default=frozenset(), repr=False)

    def fingerprint(self) -> str:
        """What makes batches of the same file differ."""
        return repr(self)
