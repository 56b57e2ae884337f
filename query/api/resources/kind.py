"""What is declared of one kind of resource: its path, members, rights, codes, room. Its routes
(`routes.py`) and its part of the published document follow from this.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic

from common.metadata import Metadata, Room
from common.metadata.resources import R
from common.model.names import resource_id
from common.model.times.written import rfc3339_s
from query.api.resources.members import Member, Value
from query.api.resources.scope import Scope

_ATTEMPTS: Final = 8  # to draw an id that no other one has: ids of markers are short
Shown = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft(Generic[R]):
    """A resource that is about to be stored.

    row: with all its members. before: what it replaces; None: it is new.
    """

    row: R
    before: R | None = None


def _nothing(metadata: Metadata, draft: Draft[Any]) -> None:
    """Nothing beyond the members is checked."""


def _as_it_is(draft: Draft[R]) -> R:
    return draft.row


def _plain(metadata: Metadata, scope: Scope, rows: Sequence[Any]) -> list[Shown]:
    return [{} for _ in rows]


@dataclass(frozen=True, slots=True)
class ResourceKind(Generic[R]):
    """One kind.

    path: in the address, after `/1/`. noun: in texts, as "marker".
    members: of bodies and answers. attributes: names of the row's own, where they differ.
    right: that a change needs; reading needs it or the right to query.
    unique: the member that no two in a scope share, from which the id follows; "": ids are drawn.
    id_digits: hexadecimal digits of an id.
    shows_deleted: a deletion answers 200 with what was deleted, else 204.
    found_by: query parameter of lists that asks for one object, by `unique`.
    hides_empty: a member without a value is left out of answers.
    complete: fills in what the server decides, before it is checked.
    check: raises InvalidValues for what the members alone do not tell. It blocks.
    decorate: members that are added to each of a list. It blocks.
    read_only: members that clients may send back and that are not read.
    """

    path: str
    noun: str
    row: type[R]
    members: tuple[Member, ...]
    room: Room
    right: str
    about: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    unique: str = ""
    id_digits: int = 11
    shows_deleted: bool = False
    found_by: str = ""
    hides_empty: bool = False
    complete: Callable[[Draft[R]], R] = _as_it_is
    check: Callable[[Metadata, Draft[R]], None] = _nothing
    decorate: Callable[[Metadata, Scope, Sequence[R]], list[Shown]] = _plain
    read_only: tuple[str, ...] = ("id", "created_at", "updated_at")

    def make(
        self,
        scope: Scope,
        values: Mapping[str, Value],
        row_id: str,
        created_ns: int,
        updated_ns: int,
    ) -> R:
        """A row of these values."""
        own: dict[str, Any] = {self._attribute(name): value for name, value in values.items()}
        times = {"created_ns": created_ns, "updated_ns": updated_ns}
        return self.row(row_id, scope.env_id, scope.dataset_id, **own, **times)

    def values(self, row: R) -> dict[str, Value]:
        """Its members, by name."""
        return {one.name: getattr(row, self._attribute(one.name)) for one in self.members}

    def new_ids(
        self, scope: Scope, values: Mapping[str, Value], random: Callable[[int], bytes]
    ) -> list[str]:
        """Ids to try in turn for a new one."""
        if self.unique:
            text = str(values[self.unique])
            return [resource_id(self.path, scope.env_id, scope.dataset_id, text)]
        return [random(self.id_digits).hex()[: self.id_digits] for _ in range(_ATTEMPTS)]

    def show(self, row: R) -> Shown:
        """As it is answered."""
        shown: Shown = {"id": row.id}
        for name, value in self.values(row).items():
            if not self.hides_empty or value not in ("", 0):
                shown[name] = value
        shown["created_at"] = rfc3339_s(row.created_ns)
        shown["updated_at"] = rfc3339_s(row.updated_ns)
        return shown

    def _attribute(self, name: str) -> str:
        return self.attributes.get(name, name)
