"""Creates the bucket, and checks that its server executes conditional puts correctly (I4)."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from common.clock import Clock
from common.objects.s3.attempts import ERRORS, Outcome, outcome_of, unavailable
from common.objects.s3.client import make_client
from common.objects.s3.config import S3Config
from common.objects.s3.store import S3Objects

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_RACERS = 8
_ROUNDS = 10
_PART_BYTES = 5 * 1024 * 1024  # the smallest part that every server takes


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """The result of the probes.

    server: its name in its answers.
    ahead_s: how far the server's clock is ahead of ours; None: its answers have no date.
    put_once: exactly one of racing conditional puts succeeds.
    parts_once: the same for puts in parts.
    refuses_damage: a body that does not match its checksum is refused.
    """

    server: str
    ahead_s: float | None
    put_once: bool
    parts_once: bool
    refuses_damage: bool


def create_bucket(config: S3Config) -> bool:
    """Create the bucket unless it exists; True: it was created. Raises ObjectsUnavailable."""
    client = make_client(config)
    where = f"{config.endpoint or 's3'}/{config.bucket}"
    try:
        try:
            client.head_bucket(Bucket=config.bucket)
        except ClientError as error:
            if outcome_of(error) is not Outcome.MISSING:
                raise
        else:
            return False
        place: Any = {"LocationConstraint": config.region}
        # AWS wants no constraint for its first region; other servers have no regions
        more = {} if config.endpoint or config.region == "us-east-1" else place
        extra: Any = {"CreateBucketConfiguration": more} if more else {}
        client.create_bucket(Bucket=config.bucket, **extra)
    except ERRORS as error:
        raise unavailable(error, where) from error
    return True


def probe_bucket(config: S3Config, clock: Clock, rng: random.Random) -> BucketFacts:
    """Put, race and delete objects below `probe/`. Raises ObjectsUnavailable."""
    client = make_client(config)
    objects = S3Objects(config, clock, rng)
    name = f"probe/{rng.getrandbits(64):016x}"
    try:
        begin_ns = clock.now_ns()
        answer = client.head_bucket(Bucket=config.bucket)["ResponseMetadata"]
        middle_s = (begin_ns + clock.now_ns()) / 2e9
        headers = answer["HTTPHeaders"]
        date = headers.get("date")  # whole seconds: half a second is added for their middle
        return BucketFacts(
            server=headers.get("server", "unknown"),
            ahead_s=parsedate_to_datetime(date).timestamp() + 0.5 - middle_s if date else None,
            put_once=_put_once(objects, name),
            parts_once=_parts_once(client, config, f"{name}-parts"),
            refuses_damage=_refuses_damage(client, config, f"{name}-damaged"),
        )
    except ERRORS as error:
        where = f"{config.endpoint or 's3'}/{config.bucket}"
        raise unavailable(error, where) from error


def _put_once(objects: S3Objects, name: str) -> bool:
    once = True
    with ThreadPoolExecutor(_RACERS) as pool:
        for number in range(_ROUNDS):
            key = f"{name}-{number}"
            bodies = [f"{number} {racer}".encode() for racer in range(_RACERS)]
            won = list(pool.map(objects.put_if_absent, [key] * _RACERS, bodies))
            winners = [body for body, first in zip(bodies, won, strict=True) if first]
            once = once and winners == [objects.get(key)]
            objects.delete(key)
    return once


def _parts_once(client: "S3Client", config: S3Config, name: str) -> bool:
    """Complete two uploads in parts of one key: the second must be refused."""
    where: Any = {"Bucket": config.bucket, "Key": _key(config, name)}
    first, second = (_one_part(client, where) for _ in range(2))
    try:
        client.complete_multipart_upload(**where, **first, IfNoneMatch="*")
        try:
            client.complete_multipart_upload(**where, **second, IfNoneMatch="*")
        except ClientError as error:
            if outcome_of(error) is not Outcome.EXISTS:
                raise
            client.abort_multipart_upload(**where, UploadId=second["UploadId"])
            return True
        return False
    finally:
        client.delete_object(**where)


def _one_part(client: "S3Client", where: Any) -> Any:
    upload = client.create_multipart_upload(**where)["UploadId"]
    body = bytes(_PART_BYTES)
    tag = client.upload_part(**where, UploadId=upload, PartNumber=1, Body=body)["ETag"]
    return {"UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": tag}]}}


def _refuses_damage(client: "S3Client", config: S3Config, name: str) -> bool:
    where: Any = {"Bucket": config.bucket, "Key": _key(config, name)}
    wrong = "A" * 43 + "="  # the SHA-256 of other bytes
    try:
        client.put_object(**where, Body=b"damaged", ChecksumSHA256=wrong)
    except ClientError as error:
        if outcome_of(error) in (Outcome.TRANSIENT, Outcome.PERMANENT):
            return True
        raise
    client.delete_object(**where)
    return False


def _key(config: S3Config, name: str) -> str:
    return f"{config.prefix}/{name}" if config.prefix else name
