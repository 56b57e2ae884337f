"""Numbers of the Parquet format (parquet.thrift of Apache Parquet 2.11)."""

from enum import IntEnum


class Physical(IntEnum):
    """Type of the values as they are stored."""

    BOOLEAN = 0
    INT32 = 1
    INT64 = 2
    DOUBLE = 5
    BYTE_ARRAY = 6


class Encoding(IntEnum):
    """How values are written."""

    PLAIN = 0
    RLE = 3
    DELTA_BINARY_PACKED = 5
    DELTA_LENGTH_BYTE_ARRAY = 6
    RLE_DICTIONARY = 8


class Codec(IntEnum):
    """How pages are compressed."""

    UNCOMPRESSED = 0
    ZSTD = 6


class PageType(IntEnum):
    """What a page holds."""

    DATA = 0
    DICTIONARY = 2


class Repetition(IntEnum):
    """Whether a row may lack a value."""

    REQUIRED = 0
    OPTIONAL = 1


MAGIC = b"PAR1"
VERSION = 2
UTF8 = 0  # the older name of the logical type of texts
UNORDERED = 0  # how the bounds of pages follow each other
