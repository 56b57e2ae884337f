"""The client library, configured so that one call is one attempt with short time-outs."""

import logging
from typing import TYPE_CHECKING

from common.objects.s3.config import S3Config

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

# At its finest level the library logs requests with their signatures.
for _name in ("boto3", "botocore", "urllib3", "s3transfer"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def make_client(config: S3Config) -> "S3Client":
    """A client; threads may share it. Nothing is sent yet."""
    import boto3  # 40 MB and half a second: only for processes that use objects
    from botocore.config import Config

    session = boto3.session.Session()
    return session.client(
        "s3",
        endpoint_url=config.endpoint or None,
        region_name=config.region,
        aws_access_key_id=config.access_key or None,
        aws_secret_access_key=config.secret_key or None,
        verify=config.ca or None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=config.connect_timeout_ms / 1000,
            read_timeout=config.read_timeout_ms / 1000,
            max_pool_connections=config.connections,
            # we retry: the library's retries would hide that an earlier put may have been executed
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path" if config.endpoint else "auto"},
            # we send the checksums too: SHA-256, with every put
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            tcp_keepalive=True,
            user_agent_extra="bellwether",
        ),
    )
