"""Members: running role processes as they announce themselves through the locks."""

import msgspec

from common.locks import Locks


class Member(msgspec.Struct, frozen=True):
    """One role process. `url` is its internal base URL; `slot` is the same after a restart.

    public_url: where clients reach it, if it has an address for them.
    """

    role: str
    instance: str
    url: str
    zone: str
    pid: int
    started_ns: int
    version: str
    slot: str = "0"
    public_url: str = ""


def encode_member(member: Member) -> bytes:
    """The value to publish under `roles/` or `claims/`."""
    return msgspec.json.encode(member)


def list_members(locks: Locks, role: str) -> list[Member]:
    """The members of a role that are alive, by instance. Raises Unavailable."""
    found = locks.holders(f"roles/{role}/")
    return [msgspec.json.decode(value, type=Member) for _, value in sorted(found.items())]


def claim_name(zone: str, partition: int) -> str:
    """Name of the claim on a partition in a zone."""
    return f"claims/{zone}/{partition:05d}"


def list_partition_holders(locks: Locks) -> dict[int, list[Member]]:
    """For each partition the indexers that hold a claim on it, by zone. Raises Unavailable."""
    holders: dict[int, list[Member]] = {}
    for name, value in sorted(locks.holders("claims/").items()):
        partition = int(name.rsplit("/", 1)[1])
        holders.setdefault(partition, []).append(msgspec.json.decode(value, type=Member))
    return holders
