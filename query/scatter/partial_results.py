"""What shares came to: tables of disjoint sets of partitions, and who answered for each (I7)."""

from dataclasses import dataclass, field

import pyarrow as pa

from common.process.members import Member
from common.process.versions import OWN
from query.share.compute.answer import PartitionCovered


@dataclass(frozen=True, slots=True)
class AnsweredPartition:
    """A partition that is in the answer, and the indexer that answered for it."""

    covered: PartitionCovered
    indexer: Member


@dataclass(slots=True)
class PartialResults:
    """Shares of disjoint sets of partitions.

    states: tables by name, of each share.
    answered: partitions in the answer, by number.
    missing: the reason, by partition without a share.
    types: by field, the letters of the types that occur.
    given_way: stored fields that calculated ones take the place of.
    fields_unread: whether it is not known which calculated fields are stored.
    hedged: number of shares that the twin (the other replica) answered first.
    state_bytes: size of the states as the indexers sent them.
    rows, size_bytes: of what had to be read, as a share reports them.
    version: of the states (`Understands.plan`); those of two versions are not merged.
    """

    states: list[dict[str, pa.Table]] = field(default_factory=list)
    answered: dict[int, AnsweredPartition] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    given_way: set[str] = field(default_factory=set)
    fields_unread: bool = False
    hedged: int = 0
    state_bytes: int = 0
    rows: int = 0
    size_bytes: int = 0
    version: int = OWN.plan

    def add(self, other: "PartialResults") -> None:
        """Add the shares of other partitions."""
        assert self.answered.keys().isdisjoint(other.answered)
        self.answered |= other.answered
        self.missing |= other.missing
        self.add_states(other)

    def add_states(self, other: "PartialResults") -> None:
        """Add states of other rows of the same partitions; their coverage stays as it is."""
        self.states += other.states
        self.hedged += other.hedged
        self.state_bytes += other.state_bytes
        self.rows += other.rows
        self.size_bytes += other.size_bytes
        self.given_way |= other.given_way
        for name, types in other.types.items():
            self.types[name] = "".join(sorted({*self.types.get(name, ""), *types}))

    @property
    def incomplete(self) -> int:
        """Number of partitions without a share, or whose share is not complete."""
        return len(self.missing) + sum(not c.covered.complete for c in self.answered.values())
