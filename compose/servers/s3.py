"""The object store: versitygw, an S3 server over a folder."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

from compose.processes.ports import LOOPBACK, answers
from compose.processes.process import Process
from compose.servers.base import STOP_S, Site
from compose.servers.secret_files import kept_secret
from compose.topology import BUCKET

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

READY_S = 300.0
REGION = "us-east-1"


class S3:
    """The server. Clients use `endpoint`, which is the proxy's if there is one."""

    def __init__(self, site: Site, program: Path) -> None:
        self.name = "s3"
        self.process: Process = site.process(self.name)
        self.bucket = BUCKET
        self.region = REGION
        self.proxied_port = 0
        self._site = site
        self._program = program

    @property
    def folder(self) -> Path:
        """Everything it keeps; buckets are folders below `data`."""
        return self._site.data_folder(self.name)

    @property
    def own_port(self) -> int:
        """Where the server itself listens."""
        return self._site.ports.get("s3.client")

    @property
    def endpoint(self) -> str:
        """Base URL for clients."""
        return f"http://{LOOPBACK}:{self.proxied_port or self.own_port}"

    @property
    def access_key(self) -> str:
        return kept_secret(self.folder / "access-key", lambda: f"BW{secrets.token_hex(9).upper()}")

    @property
    def secret_key(self) -> str:
        return kept_secret(self.folder / "secret-key", lambda: secrets.token_urlsafe(30))

    def start(self) -> None:
        """Start, wait until it serves, and make the bucket."""
        self._site.start_with_free_ports("s3.", self._start)

    def _start(self) -> None:
        self.kill()
        data, accounts = self.folder / "data", self.folder / "accounts"
        data.mkdir(exist_ok=True)
        accounts.mkdir(exist_ok=True)
        command = [
            str(self._program), "--port", f"{LOOPBACK}:{self.own_port}",
            "--iam-dir", str(accounts), "posix", str(data),
        ]  # fmt: skip
        environment = self._site.host.server_environment() | {
            "ROOT_ACCESS_KEY": self.access_key,
            "ROOT_SECRET_KEY": self.secret_key,
        }
        self.process.start(command, environment, self.folder)
        self.process.wait_ready(self._has_bucket, READY_S)
        self.proxied_port = self._site.link(self.name, self.own_port)

    def _has_bucket(self) -> bool:
        if not answers(self.own_port):
            return False
        client = self.client()
        try:
            client.head_bucket(Bucket=self.bucket)
        except ClientError:
            try:
                client.create_bucket(Bucket=self.bucket)
            except (ClientError, BotoCoreError):
                return False
        except BotoCoreError:
            return False
        return True

    def client(self) -> "S3Client":
        """A client that connects to the server directly, without the proxy."""
        return boto3.client(
            "s3", endpoint_url=f"http://{LOOPBACK}:{self.own_port}", region_name=REGION,
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key,
            config=Config(signature_version="s3v4", retries={"total_max_attempts": 1}),
        )  # fmt: skip

    def stop(self) -> None:
        self.process.stop(STOP_S)

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()
