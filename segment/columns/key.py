"""The identity of a column, and its physical name in Arrow tables and Parquet files."""

import re
from enum import StrEnum

import msgspec
import pyarrow as pa

TIME = "_time"  # int64, event time, unix ns
RATE = "_rate"  # int64, sample rate
OFFSET = "_offset"  # int64, offset of the record in its partition
INDEX_IN_RECORD = "_place"  # int32, index of the event in its record
OVERFLOW = "_rest"  # string, JSON object of the rarest columns of a wide segment, by physical name
SYSTEM_COLUMNS = (TIME, RATE, OFFSET, INDEX_IN_RECORD)
_PREFIX = "f:"
_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_.-")
ESCAPE = "%"  # only in physical names of fields whose name has bytes to escape
_ENCODED = {byte: f"{ESCAPE}{byte:02x}" for byte in range(256) if byte not in _KEPT}
_UNCHANGED = re.compile(r"[a-z0-9_.-]*")
_ESCAPE = re.compile(ESCAPE.encode() + rb"(.{0,2})", re.DOTALL)


class FieldType(StrEnum):
    """Type of a column. Nested objects beyond the depth, and arrays, are JSON text."""

    INT = "i"
    FLOAT = "f"
    BOOL = "b"
    STRING = "s"
    JSON = "j"

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type that holds it."""
        return _ARROW[self]


_ARROW: dict[FieldType, pa.DataType] = {
    FieldType.INT: pa.int64(),
    FieldType.FLOAT: pa.float64(),
    FieldType.BOOL: pa.bool_(),
    FieldType.STRING: pa.large_string(),
    FieldType.JSON: pa.large_string(),
}


class ColumnKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """(field, type): one column of a dataset.

    A struct, because datasets with ever-new names make tens of thousands of them per block: it is
    made and hashed in a tenth of a dataclass's time, and the garbage collector never visits it.
    """

    field: str
    type: FieldType

    @property
    def physical(self) -> str:
        """Injective, free of upper case, never equal to a system column: `f:<encoded>:<type>`.

        Lower-case ASCII letters, digits and `_.-` stay as they are, every other UTF-8 byte becomes
        `%xx` in lower-case hex. Engines that fold case (DuckDB) cannot confuse two of them.
        """
        encoded = self.field
        if not _UNCHANGED.fullmatch(encoded):
            encoded = encoded.encode().decode("latin-1").translate(_ENCODED)
        return f"{_PREFIX}{encoded}:{self.type}"


def parse_physical(name: str) -> ColumnKey | None:
    """The column of a physical name; None for a system column. Raises ValueError."""
    if not name.startswith(_PREFIX):
        return None
    encoded, _, code = name[len(_PREFIX) :].rpartition(":")
    raw = _ESCAPE.sub(_as_byte, encoded.encode("latin-1"))
    return ColumnKey(raw.decode(), FieldType(code))


def _as_byte(found: re.Match[bytes]) -> bytes:
    return bytes([int(found[1], 16)])
