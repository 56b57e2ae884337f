"""The names that are held, cached with watches: a read costs one round trip while nothing changes.

Every process reads about once a second. A watch marks what has changed, and the next read fetches
it; not at once, so that a change does not make all processes read at the same moment. A read begins
with a `sync`, so it includes every change that any process made before.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from kazoo.exceptions import KazooException, NoNodeError

from common.errors import Unavailable
from common.locks.zookeeper import names
from common.locks.zookeeper.session import Session

T = TypeVar("T")
_TRIES = 3  # of a read that is interrupted by a lost connection


@dataclass(slots=True)
class _CachedNode(Generic[T]):
    """What was read of a node.

    fresh: its watch has not fired.
    """

    content: T
    fresh: bool = True

    def changed(self, event: object) -> None:
        """The node's watch; called by the library's thread."""
        self.fresh = False


class View:
    """The names below one root and what their holders published. One thread reads at a time."""

    def __init__(self, session: Session, top: str) -> None:
        self._session = session
        self._top = top
        self._folders: dict[str, _CachedNode[tuple[str, ...]]] = {}
        self._leaves: dict[str, _CachedNode[bytes]] = {}
        self._generation = -1
        self._turns = threading.Lock()

    def held(self, prefix: str) -> dict[str, bytes]:
        """The names that start with `prefix` and are held now. Raises Unavailable."""
        with self._turns:
            for _ in range(_TRIES):
                generation = self._session.generation
                if generation != self._generation:  # the watches are lost
                    self._folders.clear()
                    self._leaves.clear()
                    self._generation = generation
                found = self._refresh(prefix)
                if self._session.generation == generation:
                    return found
            raise Unavailable("ZooKeeper's connection is lost again and again")

    def _refresh(self, prefix: str) -> dict[str, bytes]:
        self._session.call(lambda client: client.sync_async("/"))
        self._session.wait_for_watches()
        leaves: dict[str, str] = {}
        level = {self._top: ""}
        while level:  # one round trip for each level of folders
            self._read_folders(level)
            below: dict[str, str] = {}
            for path, name in level.items():
                node = self._folders.get(path)
                for child in node.content if node else ():
                    full, is_folder = names.read_child(name, child)
                    if not is_folder and full.startswith(prefix):
                        leaves[f"{path}/{child}"] = full
                    elif is_folder and (full.startswith(prefix) or prefix.startswith(full)):
                        below[f"{path}/{child}"] = full
            level = below
        self._read_leaves(leaves)
        return {
            name: leaf.content
            for path, name in leaves.items()
            if (leaf := self._leaves.get(path)) is not None
        }

    def _read_folders(self, paths: Iterable[str]) -> None:
        stale = [p for p in paths if not ((s := self._folders.get(p)) and s.fresh)]
        new: list[_CachedNode[tuple[str, ...]]] = [_CachedNode(()) for _ in stale]
        answers = self._session.call_all(
            [_children(path, node) for path, node in zip(stale, new, strict=True)]
        )
        for path, node, answer in zip(stale, new, answers, strict=True):
            if isinstance(answer, KazooException):
                self._folders.pop(path, None)
                _raise_unless_missing(answer)
                continue
            node.content = tuple(sorted(answer))
            old = self._folders.get(path)
            self._folders[path] = node
            for gone in set(old.content if old else ()) - set(answer):
                self._leaves.pop(f"{path}/{gone}", None)

    def _read_leaves(self, paths: Iterable[str]) -> None:
        stale = [p for p in paths if not ((s := self._leaves.get(p)) and s.fresh)]
        new = [_CachedNode(b"") for _ in stale]
        answers = self._session.call_all(
            [_value(path, node) for path, node in zip(stale, new, strict=True)]
        )
        for path, node, answer in zip(stale, new, answers, strict=True):
            if isinstance(answer, KazooException):
                self._leaves.pop(path, None)  # released since its folder was read
                _raise_unless_missing(answer)
                continue
            node.content = answer[0]
            self._leaves[path] = node


def _children(path: str, node: _CachedNode[tuple[str, ...]]) -> Callable[[Any], Any]:
    return lambda client: client.get_children_async(path, watch=node.changed)


def _value(path: str, node: _CachedNode[bytes]) -> Callable[[Any], Any]:
    return lambda client: client.get_async(path, watch=node.changed)


def _raise_unless_missing(error: KazooException) -> None:
    if not isinstance(error, NoNodeError):
        raise Unavailable(f"ZooKeeper answered {type(error).__name__}") from error
