"""Exports of the metadata to the object store, and restoring from them (I4).

An export is one content-addressed object (zstd of a JSON line for each row) and a small numbered
document that names it, which is put only if absent and after the object. Nothing is overwritten, so
several exporters may run at once. The newest versions are retained.
"""

import hashlib
import logging
import tempfile
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import msgspec
import zstandard

from common import limits
from common.errors import DamagedObject, NotFound, ObjectMissing
from common.logs import log_event
from common.metadata import Metadata, MetadataRow
from common.metadata.rows import UnknownRow, decode_row, encode_row, kind_of
from common.objects import ObjectStore
from snapshot.documents.checksummed import DOCUMENT_FORMAT, decode_checksummed, encode_checksummed

PREFIX = "metadata/versions/"
_ZSTD_LEVEL = 6
_ATTEMPTS = 5  # other exporters that take the next number at the same moment
logger = logging.getLogger(__name__)


class MetadataVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One export.

    object: SHA-256 of the compressed bytes, hex.
    rows: their number by kind.
    """

    number: int
    object: str
    size_bytes: int
    rows: dict[str, int]
    writer: str
    created_ns: int
    format: int = DOCUMENT_FORMAT

    @property
    def key(self) -> str:
        """Its key in the object store."""
        return f"{PREFIX}{self.number:08d}.json"


def blob_key(object_hash: str) -> str:
    """Key of the export's object: named by its content, so never overwritten."""
    return f"metadata/objects/{object_hash}.jsonl.zst"


class MetadataExports:
    """The exports in one object store. Methods block and raise ObjectsUnavailable.

    scratch: folder of temporary files; None: the system's.
    versions_max: number of versions that are retained.
    """

    def __init__(
        self,
        objects: ObjectStore,
        scratch: Path | None = None,
        versions_max: int = limits.METADATA_VERSIONS_MAX,
    ) -> None:
        self._objects = objects
        self._versions_max = versions_max
        self._scratch = scratch

    def versions(self) -> list[MetadataVersion]:
        """The versions that can be read, oldest first."""
        found = []
        for info in self._objects.list(PREFIX):
            try:
                found.append(
                    decode_checksummed(self._objects.get(info.key), MetadataVersion, info.key)
                )
            except (DamagedObject, ObjectMissing) as error:
                log_event(logger, logging.ERROR, "export of the metadata skipped", why=str(error))
        return found

    def export(self, metadata: Metadata, writer: str, now_ns: int) -> MetadataVersion:
        """Export the metadata; returns the newest version if its content is the same.

        Raises MetadataUnavailable; NotFound if the metadata is empty and there is an export.
        """
        with self._folder() as name:
            path = Path(name) / "export"
            counts = _write(metadata, path)
            with path.open("rb") as file:
                object_hash = hashlib.file_digest(file, "sha256").hexdigest()
            for _ in range(_ATTEMPTS):
                versions = self.versions()
                if versions and not counts:
                    raise NotFound("the metadata is empty: restore it, the last export is kept")
                self._objects.put_if_absent(blob_key(object_hash), path)
                if versions and versions[-1].object == object_hash:
                    return versions[-1]
                version = MetadataVersion(
                    number=self._next_number(),
                    object=object_hash,
                    size_bytes=path.stat().st_size,
                    rows=dict(counts),
                    writer=writer,
                    created_ns=now_ns,
                )
                if self._objects.put_if_absent(version.key, encode_checksummed(version)):
                    self._delete_older([*versions, version])
                    # another exporter may have deleted the same content just now
                    self._objects.put_if_absent(blob_key(object_hash), path)
                    return version
        raise DamagedObject("another exporter took every number; the next export tries again")

    def restore(
        self, metadata: Metadata, number: int | None = None, *, overwrite: bool = False
    ) -> tuple[MetadataVersion, int]:
        """Load a version into the metadata; returns it and the number of rows.

        number: None: the newest readable version.
        Raises NotFound without such a version, DamagedObject, Conflict if there are rows already
        and they may not be overwritten, MetadataUnavailable.
        """
        versions = [v for v in self.versions() if number in (None, v.number)]
        if not versions:
            raise NotFound("there is no such export of the metadata in the object store")
        version = versions[-1]
        with self._folder() as name:
            path = Path(name) / "export"
            try:
                self._objects.fetch(blob_key(version.object), path)
            except ObjectMissing as error:
                raise DamagedObject(f"version {version.number}: {error}") from error
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != version.object:
                    raise DamagedObject(f"version {version.number}: checksum does not match")
            with closing(_read(path)) as rows:
                return version, metadata.load(rows, overwrite=overwrite)

    def _folder(self) -> "tempfile.TemporaryDirectory[str]":
        if self._scratch is not None:
            self._scratch.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix="metadata-", dir=self._scratch)

    def _next_number(self) -> int:
        """One more than every number in use, also of versions that cannot be read."""
        keys = [info.key for info in self._objects.list(PREFIX)]
        names = [key.removeprefix(PREFIX).removesuffix(".json") for key in keys]
        return max((int(name) for name in names if name.isdigit()), default=0) + 1

    def _delete_older(self, versions: list[MetadataVersion]) -> None:
        retained = versions[-self._versions_max :]
        for version in versions[: -self._versions_max]:
            self._objects.delete(version.key)
        needed = {version.object for version in retained}
        for version in versions[: -self._versions_max]:
            if version.object not in needed:
                self._objects.delete(blob_key(version.object))


def _write(metadata: Metadata, path: Path) -> Counter[str]:
    """Write all rows; returns the number of each kind."""
    counts: Counter[str] = Counter()
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
    with path.open("wb") as file, compressor.stream_writer(file) as out:
        for row in metadata.dump():
            out.write(encode_row(row))
            counts[kind_of(row)] += 1
    return counts


def _read(path: Path) -> Generator[MetadataRow, None, None]:
    """The rows of an export. Raises DamagedObject."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as source:
        rest = b""
        while True:
            try:
                chunk = source.read(1 << 20)
            except zstandard.ZstdError as error:
                raise DamagedObject(f"the export cannot be read: {error}") from error
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > limits.METADATA_ROW_BYTES_MAX:
                raise DamagedObject("a row of the export is too long")
            for line in lines:
                try:
                    yield decode_row(line)
                except UnknownRow as error:
                    raise DamagedObject(str(error)) from error
            if not chunk:
                break
        if rest:
            raise DamagedObject("the export is cut off")
