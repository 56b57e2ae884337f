"""Settings of the object store in S3."""

import re
from dataclasses import dataclass

from common.settings import setting

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?")


@dataclass(frozen=True, slots=True)
class S3Config:
    """The object store in S3, or in a server that speaks its protocol."""

    endpoint: str = setting("", "URL of the server, such as https://s3.example.com (empty: AWS).")
    bucket: str = setting("", "Bucket that holds the objects; `bellwether init` creates it.")
    prefix: str = setting("", "What every key begins with, so that systems can share a bucket.")
    region: str = setting("us-east-1", "Region that requests are signed for.")
    access_key: str = setting("", "Access key id (empty: boto3's own chain of credentials).")
    secret_key: str = setting("", "Secret access key.", secret=True)
    ca: str = setting("", "PEM file of the authority to trust (empty: the system's).")
    connect_timeout_ms: int = setting(2_000, "Longest wait for a connection.")
    read_timeout_ms: int = setting(10_000, "Longest silence of the server within an answer.")
    budget_ms: int = setting(30_000, "Attempts of one call stop after this (never mid-attempt).")
    connections: int = setting(16, "Connections kept by one process.")

    def __post_init__(self) -> None:
        if self.endpoint and not self.endpoint.startswith(("http://", "https://")):
            raise ValueError("endpoint must begin with http:// or https://")
        if self.bucket and not _BUCKET.fullmatch(self.bucket):
            raise ValueError("bucket must be a bucket name: 3 to 63 of a-z, 0-9, '.' and '-'")
        if not _PREFIX.fullmatch(self.prefix):
            raise ValueError("prefix must be words of A-Z, a-z, 0-9, '.', '_' and '-' joined by /")
        if bool(self.access_key) != bool(self.secret_key):
            raise ValueError("access_key and secret_key are given both or not at all")
        if min(self.connect_timeout_ms, self.read_timeout_ms, self.budget_ms) <= 0:
            raise ValueError("time-outs must be more than 0")
        if self.connections < 1:
            raise ValueError("connections must be at least 1")
