"""The object store in an S3 bucket: each key is complete or does not exist (I4).

Conditions of puts are checked by the server. Bytes that are read are compared with the SHA-256 that
was put with them. If they differ, they are read once more and then returned as they are: callers
check the content's own checksums, which also detects damage from before the put.
"""

import hashlib
import random
import re
import threading
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from common import atomic_files
from common.clock import Clock
from common.errors import DamagedObject, ObjectMissing, ObjectsUnavailable
from common.model.clock_reading import ClockReading, is_elsewhere, reading_of
from common.objects.interface import ObjectInfo, check_range
from common.objects.s3.attempts import (
    ERRORS,
    Attempts,
    Outcome,
    RetryBudget,
    outcome_of,
    unavailable,
)
from common.objects.s3.client import make_client
from common.objects.s3.config import S3Config
from common.objects.s3.upload import SHA256, Source, Upload

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

T = TypeVar("T")
_KEY = re.compile(r"[A-Za-z0-9._/-]{1,1024}")
_PREFIX = re.compile(r"[A-Za-z0-9._/-]{0,1024}")
_COPY_BYTES = 1024 * 1024
_PARTIAL, _NO_SUCH_RANGE = 206, 416  # statuses of a request for a part of an object
_READS_MAX = 2  # of an object whose bytes are not those that were put


class _Sink(Protocol):
    def write(self, block: bytes, /) -> object: ...


class _ChecksumMismatch(OSError):
    """The bytes that were received are not those that were put."""


class S3Objects:
    """The store in the bucket that the settings name. Any number of threads and processes."""

    def __init__(self, config: S3Config, clock: Clock, rng: random.Random) -> None:
        self._config = config
        self._rng = rng
        self._where = f"{config.endpoint or 's3'}/{config.bucket}"
        self._attempts = Attempts(clock, rng, RetryBudget(), config.budget_ms, self._where)
        self._made: S3Client | None = None
        self._making = threading.Lock()

    def put_if_absent(self, key: str, data: bytes | Path) -> bool:
        """Store durably; False, and nothing done, if the key exists."""
        return self._upload(key, data).put(if_absent=True)

    def replace(self, key: str, data: bytes | Path) -> None:
        """Store durably, whatever is there."""
        self._upload(key, data).put(if_absent=False)

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises ObjectMissing."""

        def read(accept_mismatch: bool) -> bytes:
            found = bytearray()
            self._download(key, _Append(found), accept_mismatch)
            return bytes(found)

        return self._reading(key, read)

    def fetch(self, key: str, target: Path) -> int:
        """Copy the object to `target`, all or nothing; returns its size. Raises ObjectMissing."""
        return self._fetch(key, target, self._download)

    def fetch_range(self, key: str, offset: int, length: int, target: Path) -> None:
        """Copy a part of the object. Raises ObjectMissing, DamagedObject if it ends before."""
        check_range(key, offset, length)

        def download(key: str, sink: _Sink, _accept_mismatch: bool) -> None:
            self._download_range(key, offset, length, sink)

        self._fetch(key, target, download)

    def _fetch(self, key: str, target: Path, download: Callable[[str, _Sink, bool], None]) -> int:
        temporary = atomic_files.temporary_path(target.parent)

        def read(accept_mismatch: bool) -> int:
            with temporary.open("wb") as file:
                download(key, file, accept_mismatch)
            atomic_files.sync_file(temporary)
            size = temporary.stat().st_size
            temporary.rename(target)
            atomic_files.sync_folder(target.parent)
            return size

        try:
            return self._reading(key, read)
        finally:
            temporary.unlink(missing_ok=True)

    def head(self, key: str) -> ObjectInfo | None:
        """Size and time, or None if there is no such object."""
        where = self._location(key)
        try:
            found = self._attempts.run(lambda _: self._client().head_object(**where))
        except ClientError as error:
            if outcome_of(error) is not Outcome.MISSING:
                raise unavailable(error, self._where) from error
            self._check_bucket()  # a missing bucket is not an empty store
            return None
        return _info(key, found["ContentLength"], found["LastModified"])

    def list(self, prefix: str, after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with `prefix` and sorts after `after`, in key order.

        Pages are requested as the iteration reaches them.
        """
        if not _PREFIX.fullmatch(prefix) or ".." in prefix.split("/"):
            raise ValueError(f"not a key prefix: {prefix[:80]!r}")
        return self._pages(prefix, after)

    def delete(self, key: str) -> None:
        """Remove the object; no error if it is not there."""
        where = self._location(key)
        try:
            self._attempts.run(lambda _: self._client().delete_object(**where))
        except ClientError as error:
            if outcome_of(error) is not Outcome.MISSING:
                raise unavailable(error, self._where) from error

    def read_clock(self, clock: Clock) -> ClockReading | None:
        """The server's clock, by the Date of an answer (whole seconds); None if it has none."""
        begin_ns = clock.monotonic_ns()
        try:
            answer: Any = self._client().head_bucket(Bucket=self._config.bucket)
        except ClientError as error:  # a refusal because of our clock has the server's time too
            answer = error.response
        except ERRORS as error:
            raise unavailable(error, self._where) from error
        span = (begin_ns, clock.monotonic_ns())
        date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
        if not date:
            return None
        host = urlsplit(self._config.endpoint).hostname or ""
        elsewhere = not self._config.endpoint or is_elsewhere(host)
        theirs_ns = int(parsedate_to_datetime(date).timestamp()) * 10**9
        return reading_of("the object store", theirs_ns, 10**9, span, elsewhere=elsewhere)

    def _upload(self, key: str, data: bytes | Path) -> Upload:
        where = self._location(key)
        try:
            source = Source.of(data)
        except OSError as error:
            raise ObjectsUnavailable(f"cannot read {data!s:.200}: {error.strerror}") from error
        token = f"{self._rng.getrandbits(128):032x}"
        return Upload(self._client(), self._attempts, where["Bucket"], where["Key"], source, token)

    def _reading(self, key: str, read: Callable[[bool], T]) -> T:
        """Repeat a download that breaks off or returns other bytes than were put."""
        self._location(key)
        reads = 0

        def attempt(_: bool) -> T:
            nonlocal reads
            reads += 1
            return read(reads >= _READS_MAX)

        try:
            return self._attempts.run(attempt)
        except ClientError as error:
            if outcome_of(error) is Outcome.MISSING:
                raise ObjectMissing(f"no object {key}") from error
            raise unavailable(error, self._where) from error

    def _download(self, key: str, sink: _Sink, accept_mismatch: bool) -> None:
        """Copy the object's bytes.

        Raises what the library raises, and _ChecksumMismatch unless `accept_mismatch`.
        """
        answer = self._client().get_object(**self._location(key))
        digest = hashlib.sha256()
        size = 0
        with answer["Body"] as body:
            while block := body.read(_COPY_BYTES):
                digest.update(block)
                size += len(block)
                sink.write(block)
        if size != answer["ContentLength"]:
            raise _ChecksumMismatch(f"{key}: {size} bytes of {answer['ContentLength']} came")
        put = answer.get("Metadata", {}).get(SHA256)
        if put and put != digest.hexdigest() and not accept_mismatch:
            raise _ChecksumMismatch(f"{key}: the bytes are not those that were put")

    def _download_range(self, key: str, offset: int, length: int, sink: _Sink) -> None:
        """Copy a part of the object. Raises what the library raises, DamagedObject."""
        end = offset + length
        try:
            answer = self._client().get_object(
                **self._location(key), Range=f"bytes={offset}-{end - 1}"
            )
        except ClientError as error:
            if _status(error.response) == _NO_SUCH_RANGE:
                raise DamagedObject(f"{key} ends before byte {end}") from error
            raise
        came = answer.get("ContentRange", "")
        if _status(answer) != _PARTIAL or not came.startswith(f"bytes {offset}-"):
            answer["Body"].close()
            raise ObjectsUnavailable(
                f"objects at {self._where}: the server does not give parts of objects"
            )
        if not came.startswith(f"bytes {offset}-{end - 1}/"):
            answer["Body"].close()
            raise DamagedObject(f"{key} ends before byte {end}")
        size = 0
        with answer["Body"] as body:
            while size <= length and (block := body.read(_COPY_BYTES)):
                size += len(block)
                sink.write(block)
        if size != length:
            raise _ChecksumMismatch(f"{key}: {size} bytes of {length} came")

    def _pages(self, prefix: str, after: str) -> Iterator[ObjectInfo]:
        base = self._key("")
        position: dict[str, Any] = {"StartAfter": base + after} if after else {}
        while True:
            page = self._page(base + prefix, position)
            for item in page.get("Contents", []):
                key = item["Key"][len(base) :]
                # objects of other programs are left out
                if _is_key(key) and key.startswith(prefix) and key > after:
                    yield _info(key, item["Size"], item["LastModified"])
            if not page.get("IsTruncated"):
                return
            position = {"ContinuationToken": page["NextContinuationToken"]}

    def _page(self, prefix: str, position: dict[str, Any]) -> Any:
        bucket = self._config.bucket
        try:
            return self._attempts.run(
                lambda _: self._client().list_objects_v2(Bucket=bucket, Prefix=prefix, **position)
            )
        except ClientError as error:
            raise unavailable(error, self._where) from error

    def _check_bucket(self) -> None:
        try:
            self._attempts.run(lambda _: self._client().head_bucket(Bucket=self._config.bucket))
        except ClientError as error:
            raise ObjectsUnavailable(
                f"objects at {self._where}: there is no such bucket; `bellwether init` creates it"
            ) from error

    def _location(self, key: str) -> Any:
        """The key's bucket and full key. Raises ValueError for what is not a key."""
        if not _is_key(key):
            raise ValueError(f"not an object key: {key[:80]!r}")
        return {"Bucket": self._config.bucket, "Key": self._key(key)}

    def _key(self, key: str) -> str:
        return f"{self._config.prefix}/{key}" if self._config.prefix else key

    def _client(self) -> "S3Client":
        with self._making:
            if self._made is None:
                self._made = make_client(self._config)
            return self._made


class _Append:
    """A sink in memory."""

    def __init__(self, found: bytearray) -> None:
        self._found = found

    def write(self, block: bytes, /) -> None:
        self._found += block


def _status(answer: Any) -> int:
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def _is_key(key: str) -> bool:
    parts = key.split("/")
    return bool(_KEY.fullmatch(key)) and all(p and not p.startswith(".") for p in parts)


def _info(key: str, size: int, modified: Any) -> ObjectInfo:
    return ObjectInfo(key, size, int(modified.timestamp() * 1e6) * 1_000)
