"""Puts bytes or a file, whole or in parts, with a condition or without (I4).

Every put has a token of its own in the object's metadata. If an attempt ended without an answer and
the next one is refused because the object exists, the token shows whether it is our own object.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from common.objects.s3.attempts import ERRORS, Attempts, Outcome, outcome_of

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

TOKEN: Final = "bellwether-put"
SHA256: Final = "bellwether-sha256"
PART_BYTES: Final = 16 * 1024 * 1024  # larger objects are put in parts of this size: 160 GB at most
_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes to put, their size and SHA-256; their parts can be read repeatedly."""

    data: bytes | Path
    size_bytes: int
    sha256: bytes

    @classmethod
    def of(cls, data: bytes | Path) -> "Source":
        """Read it once. Raises OSError."""
        if isinstance(data, bytes):
            return cls(data, len(data), hashlib.sha256(data).digest())
        digest = hashlib.sha256()
        size = 0
        with data.open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
                size += len(block)
        return cls(data, size, digest.digest())

    def parts(self) -> Iterator[bytes]:
        """The bytes, in parts of PART_BYTES. Raises OSError."""
        if isinstance(self.data, bytes):
            for start in range(0, max(1, self.size_bytes), PART_BYTES):
                yield self.data[start : start + PART_BYTES]
            return
        with self.data.open("rb") as file:
            for _ in range(0, max(1, self.size_bytes), PART_BYTES):
                yield file.read(PART_BYTES)


@dataclass(frozen=True, slots=True)
class Upload:
    """One object to put at `key` of `bucket`.

    token: unique to this upload.
    """

    client: "S3Client"
    attempts: Attempts
    bucket: str
    key: str
    source: Source
    token: str

    def put(self, *, if_absent: bool) -> bool:
        """Put the object; False if `if_absent` and another exists. Raises ObjectsUnavailable."""
        if self.source.size_bytes <= PART_BYTES:
            [body] = self.source.parts()
            return self._finish(lambda: self._put_whole(body, if_absent), if_absent)
        if if_absent and self._found() is not None:
            return False  # without sending all of it
        return self._put_in_parts(if_absent)

    def _finish(self, send: Any, if_absent: bool) -> bool:
        """Send the request that creates the object; after a retry, compare the token."""

        def attempt(may_have_landed: bool) -> bool:
            try:
                send()
            except ClientError as error:
                found = outcome_of(error)
                gone = found is Outcome.PERMANENT and _is_no_upload(error)
                if not (found is Outcome.EXISTS or (may_have_landed and gone)):
                    raise
                if may_have_landed:
                    metadata = self._metadata_now()
                    if metadata is not None and metadata.get(TOKEN) == self.token:
                        return True
                if found is Outcome.EXISTS and if_absent:
                    return False
                raise
            return True

        return self.attempts.run(attempt)

    def _put_whole(self, body: bytes, if_absent: bool) -> None:
        condition: Any = {"IfNoneMatch": "*"} if if_absent else {}
        self.client.put_object(
            Bucket=self.bucket,
            Key=self.key,
            Body=body,
            ChecksumSHA256=_base64(self.source.sha256),
            Metadata=self._metadata(),
            **condition,
        )

    def _put_in_parts(self, if_absent: bool) -> bool:
        upload: str = self.attempts.run(
            lambda _: self.client.create_multipart_upload(
                Bucket=self.bucket,
                Key=self.key,
                ChecksumAlgorithm="SHA256",
                Metadata=self._metadata(),
            )["UploadId"]
        )
        try:
            parts = [self._put_part(upload, n, p) for n, p in enumerate(self.source.parts(), 1)]
            condition: Any = {"IfNoneMatch": "*"} if if_absent else {}

            def complete() -> None:
                self.client.complete_multipart_upload(
                    Bucket=self.bucket,
                    Key=self.key,
                    UploadId=upload,
                    MultipartUpload={"Parts": parts},
                    **condition,
                )

            done = self._finish(complete, if_absent)
        except BaseException:
            self._abort(upload)
            raise
        if not done:
            self._abort(upload)
        return done

    def _put_part(self, upload: str, number: int, part: bytes) -> Any:
        checksum = _base64(hashlib.sha256(part).digest())

        def send(_: bool) -> str:
            return self.client.upload_part(
                Bucket=self.bucket,
                Key=self.key,
                UploadId=upload,
                PartNumber=number,
                Body=part,
                ChecksumSHA256=checksum,
            )["ETag"]

        return {"PartNumber": number, "ETag": self.attempts.run(send), "ChecksumSHA256": checksum}

    def _abort(self, upload: str) -> None:
        """Delete the parts, in one attempt; the bucket's lifecycle rule deletes what remains."""
        try:
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=upload)
        except ERRORS:
            return  # docs/cluster.md: a lifecycle rule for unfinished uploads

    def _metadata(self) -> dict[str, str]:
        return {TOKEN: self.token, SHA256: self.source.sha256.hex()}

    def _metadata_now(self) -> dict[str, str] | None:
        """The metadata of the object at the key; None if there is none."""
        try:
            return self.client.head_object(Bucket=self.bucket, Key=self.key)["Metadata"]
        except ClientError as error:
            if outcome_of(error) is Outcome.MISSING:
                return None
            raise

    def _found(self) -> dict[str, str] | None:
        return self.attempts.run(lambda _: self._metadata_now())


def _is_no_upload(error: ClientError) -> bool:
    return str(error.response.get("Error", {}).get("Code", "")) == "NoSuchUpload"


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
