"""How a file is to be read: the options of the formats."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Each field belongs to the formats that name it in their help; its default means "not given".

    They are part of a load's identity: other options make other batches.

    no_header: csv, tsv: the first row is an event.
    header: csv, tsv: the first row has the names, whatever it contains.
    columns: csv, tsv: names of the columns, for a file that has none.
    pattern: a regular expression whose named groups are the fields.
    continuation: a regular expression that is found in lines that continue the line before (formats
    of lines).
    borders: offsets at which earlier loads of this file ended. An entry of an earlier load stays
    one, so its lines are not stored once more. Not an option of the user's.
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
