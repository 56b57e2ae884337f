"""What `up` creates before any role runs: folders, secrets, team, environment and key.

The key is kept in its file before metadata knows its hash, so a start that was cut off half way is
completed by the next one.
"""

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path

from bellwether.config.secrets import (
    key_file,
    read_key,
    secrets_folder,
    write_key,
)
from bellwether.config.sections import UpConfig
from common import limits
from common.metadata import Access, ApiKey, KeyKind, Metadata
from common.model.names import dataset_slug
from common.process.auth import generate_key, hash_key
from common.process.sessions import login_name

FULL_ACCESS = Access(
    events=True, queries=True, columns=True, create_datasets=True, admin=True, operate=True
)


class FirstStartError(Exception):
    """The data folder cannot be used. The message states the remedy."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """`new_key`: the key, only if this start made it; `key_path`: where its file is.

    key_hash: what metadata knows of the key.
    login_code: of a link to the page that logs in once; empty: none was made.
    """

    new_key: str | None
    key_path: Path
    key_hash: str = field(default="", repr=False)
    login_code: str = field(default="", repr=False)


def prepare(data: Path, config: UpConfig, metadata: Metadata, now_ns: int) -> Prepared:
    """Create what is missing. Raises FirstStartError, OSError or MetadataUnavailable."""
    secrets_folder(data).mkdir(parents=True, exist_ok=True)
    secrets_folder(data).chmod(0o700)
    kept = read_key(data)
    known = metadata.find_key(hash_key(kept)) if kept else None
    if config.key:
        key = config.key
    elif kept and (known is None or not known.revoked_ns):
        key = kept
    else:
        key = generate_key(KeyKind.CONFIGURATION, os.urandom)
    found = metadata.find_key(hash_key(key))
    if found is not None and found.revoked_ns:
        raise FirstStartError("the key that was given has been revoked: give another one")
    if key != kept:
        write_key(data, key)
    if found is not None and found.access.admin and not found.access.operate:
        # made before this right was one of its own; who owns the folder operates it
        metadata.set_access(found.id, FULL_ACCESS)
    if found is None:
        metadata.create_key(_first_key(key, config, metadata, now_ns))
    return Prepared(key if found is None else None, key_file(data), hash_key(key))


def make_login_code(metadata: Metadata, key_hash: str, now_ns: int) -> str:
    """A code that logs in to the page once, with the key, within some minutes."""
    code = base64.urlsafe_b64encode(os.urandom(18)).decode()
    expires_ns = now_ns + limits.LOGIN_LINK_S * 10**9
    metadata.put_secret(login_name(code), key_hash.encode(), now_ns, expires_ns)
    return code


def _first_key(key: str, config: UpConfig, metadata: Metadata, now_ns: int) -> ApiKey:
    team = metadata.ensure_team(config.team, dataset_slug(config.team))
    environment = metadata.ensure_environment(
        team.id, config.environment, dataset_slug(config.environment)
    )
    digest = hash_key(key)
    return ApiKey(
        id=digest[:24],
        hash=digest,
        kind=KeyKind.CONFIGURATION,
        name="first key",
        team=team,
        environment=environment,
        access=FULL_ACCESS,
        created_ns=now_ns,
    )
