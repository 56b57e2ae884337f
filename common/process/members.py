"""Members: running role processes as they announce themselves through the locks."""

import msgspec

from common.locks import Locks
from common.process.versions import Understands

CLAIMS = "claims/"
ROLLING_RESTART = "operations/rolling-restart"
NEXT = ".next"  # ends the name of a claim that is prepared to be taken over


class Member(msgspec.Struct, frozen=True):
    """One role process.

    url: its internal base URL.
    slot: the same after a restart; tells apart processes of one role in one zone.
    public_url: its base URL for clients, if it has one.
    ready: only in a claim: whether its holder has caught up with the partition that it claims.
    understands: versions of requests and documents that it knows; the first, if it announces none.
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
    ready: bool = True
    understands: Understands = Understands()


def encode_member(member: Member) -> bytes:
    """The value to publish under `roles/` or `claims/`."""
    return msgspec.json.encode(member)


def list_members(locks: Locks, role: str) -> list[Member]:
    """The members of a role that are alive, by instance. Raises Unavailable."""
    found = locks.holders(f"roles/{role}/")
    return [msgspec.json.decode(value, type=Member) for _, value in sorted(found.items())]


def list_readers(locks: Locks) -> list[Member]:
    """Members that read the store or ask those that do, each once: indexers (those that hold a
    claim and are not announced too) and query roles. Raises Unavailable.
    """
    found = [one.member for one in list_claims(locks)]
    found += [member for role in ("indexer", "query") for member in list_members(locks, role)]
    return list({member.instance: member for member in found}.values())


def claim_name(zone: str, partition: int) -> str:
    """Name of the claim on a partition in a zone."""
    return f"{CLAIMS}{zone}/{partition:05d}"


class Claimed(msgspec.Struct, frozen=True):
    """One claim, or (`preparing`) the announcement that a member will take it over."""

    partition: int
    member: Member
    preparing: bool


def list_claims(locks: Locks) -> list[Claimed]:
    """Every claim that is held, by name. Raises Unavailable."""
    found = []
    for name, value in sorted(locks.holders(CLAIMS).items()):
        number = name.rsplit("/", 1)[1]
        member = msgspec.json.decode(value, type=Member)
        found.append(Claimed(int(number.removesuffix(NEXT)), member, number.endswith(NEXT)))
    return found


def list_partition_holders(locks: Locks) -> dict[int, list[Member]]:
    """For each partition the indexers that can answer for it, those that have caught up first.

    One that has prepared to take over a claim is among them. Raises Unavailable.
    """
    holders: dict[int, dict[str, Member]] = {}
    for claim in list_claims(locks):
        if claim.preparing and not claim.member.ready:
            continue
        known = holders.setdefault(claim.partition, {})
        before = known.get(claim.member.instance)
        if before is None or claim.member.ready:
            known[claim.member.instance] = claim.member
    return {
        partition: sorted(known.values(), key=lambda m: not m.ready)
        for partition, known in holders.items()
    }


class RollingRestart(msgspec.Struct, frozen=True):
    """Value of the claim `operations/rolling-restart`.

    by: user, host and process that run it.
    zone: of the process that is being restarted, empty between two of them. While it is set, no
    partition is moved to another zone.
    """

    by: str
    since_ns: int
    zone: str = ""
    step: str = ""


def find_rolling_restart(locks: Locks) -> RollingRestart | None:
    """The rolling restart that runs, if any. Raises Unavailable."""
    value = locks.holders(ROLLING_RESTART).get(ROLLING_RESTART)
    return None if value is None else msgspec.json.decode(value, type=RollingRestart)
