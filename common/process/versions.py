"""Versions of what roles send each other and of what they store; members announce which they know.

Two versions of the program run side by side while an installation is upgraded. Neither may send or
store what another one would misread:

- A request is sent in the oldest version among the members that may answer it, and whoever gets a
  version or a field that it does not know refuses it.
- A document of a newer version is written only once a `DocumentGate` allows it. Whoever reads one
  that it does not know stops and reports it (`snapshot.documents.checksummed`).

docs/formats.md lists what each version is. A number in `OWN` is raised in the same change in which
this program can read what it stands for, so that nothing is sent to a member that cannot.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol, TypeVar

import msgspec

from common.errors import BadRequest

T = TypeVar("T", bound="VersionedRequest")

PLAN_TYPED_STATES: Final = 2  # states of shares are typed columns
PLAN_VALUE_HASHES: Final = 3  # distinct values are hashed with XXH64
PLAN_SPANS: Final = 4  # plans of spans, over several datasets
PLAN_QUESTIONS: Final = 5  # calculated fields, relations, instances and more of one question
PLAN_JOINED: Final = 6  # instances and differences joined with other spans
DOCUMENTS_PACKS: Final = 2  # manifests may name a range of a pack
DOCUMENTS_COMPACTIONS: Final = 3  # compaction documents replace segments
DOCUMENTS_BASES: Final = 4  # bases replace compaction documents


class Understands(msgspec.Struct, frozen=True):
    """The newest versions that a program knows; it knows all before them too.

    The defaults are what a program knows that announces nothing.

    plan: of requests between roles (shares, tails, columns, lookups) and of their answers.
    documents: of documents in the object store.
    """

    plan: int = 1
    documents: int = 1


OWN: Final = Understands(plan=PLAN_JOINED, documents=DOCUMENTS_BASES)


def oldest(some: Iterable[Understands]) -> Understands:
    """What every one of them knows; what this program knows if there are none."""
    known = [OWN, *some]
    return Understands(min(one.plan for one in known), min(one.documents for one in known))


class VersionedRequest(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Base of the bodies of requests between roles.

    version: which version of `Understands.plan` the body is; its answer is of the same one. The
    first is not written: programs that know no other expect its very bytes.
    """

    version: int = 1


def decode_request(data: bytes, kind: type[T]) -> T:
    """Read the body of a request of another role.

    Raises BadRequest, also for a version or a field that this program does not know: an answer to
    the rest of the question would be wrong.
    """
    try:
        request = msgspec.json.decode(data, type=kind)
        version = request.version
    except msgspec.DecodeError as error:
        version = _version_of(data)
        if version <= OWN.plan:
            raise BadRequest(f"not a {kind.__name__} of version {version}: {error}") from error
    else:
        if 1 <= version <= OWN.plan:
            return request
    raise BadRequest(
        f"the request is of version {version}, this program knows versions 1 to {OWN.plan}: "
        "upgrade this role, or go back with the one that asked"
    )


class _Version(msgspec.Struct, frozen=True):
    version: int = 1


def _version_of(data: bytes) -> int:
    try:
        return msgspec.json.decode(data, type=_Version).version
    except msgspec.DecodeError:
        return 1


class DocumentGate(Protocol):
    """Says which documents may be written now. Asked before each write; must not block."""

    def allows(self, documents: int) -> bool:
        """Whether every program that reads the store now knows documents of this version."""


class FixedGate(NamedTuple):
    """A gate that never changes: for tests, and for programs that write nothing newer."""

    newest: int

    def allows(self, documents: int) -> bool:
        """See `DocumentGate`."""
        return documents <= self.newest


FIRST_DOCUMENTS: Final = FixedGate(1)
