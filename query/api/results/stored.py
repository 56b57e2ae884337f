"""One result as the object store has it: a JSON document in a zstd frame with its checksum.

It names its environment and dataset: whoever reads it compares them with what the caller may see.
"""

from typing import Final

import msgspec
import zstandard

from common import limits
from common.errors import DamagedObject
from query.results.series_forms.columns import ROWS

_VERSION: Final = 1
_VERSION_WITH_FORM: Final = 2  # earlier programs would send its series as if they were rows
_LEVEL: Final = 3


class ResultDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A finished result.

    version: 1, or 2 where its series are not rows.
    created_ns: when its query began, in unix ns.
    query: the specification, JSON.
    body: the other members of the result, JSON.
    dataset_ns: when its dataset was made, in unix ns; 0: unknown, as in earlier documents.
    series_form: of the series in the body; rows in earlier documents.
    """

    version: int = _VERSION
    id: str
    env: str
    dataset: str
    created_ns: int
    query: msgspec.Raw
    body: msgspec.Raw
    dataset_ns: int = 0
    series_form: str = ROWS


def encode_stored(document: ResultDocument) -> bytes:
    """The object's bytes."""
    if document.series_form != ROWS:
        document = msgspec.structs.replace(document, version=_VERSION_WITH_FORM)
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    return compressor.compress(msgspec.json.encode(document))


def decode_stored(data: bytes, key: str) -> ResultDocument:
    """The document of an object. key: for the errors. Raises DamagedObject."""
    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= limits.RESULT_OBJECT_BYTES_MAX + limits.MANAGEMENT_BODY_BYTES_MAX:
            raise DamagedObject(f"{key}: not a result of at most its size")
        plain = zstandard.ZstdDecompressor().decompress(data)
        found = msgspec.json.decode(plain, type=ResultDocument)
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise DamagedObject(f"{key}: {error}") from error
    if found.version not in (_VERSION, _VERSION_WITH_FORM):
        raise DamagedObject(f"{key}: a result of version {found.version}: upgrade this program")
    return found
