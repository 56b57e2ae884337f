"""Locks in ZooKeeper: a claim is an ephemeral node, so it ends with its holder's session.

A killed or frozen holder loses its claims when its session ends (`session_ms`). A holder that was
frozen and continues asks the ensemble before it reports a claim as held. Fences are the transaction
numbers that created the nodes: they increase with every holder, over restarts and leaders.
"""

import threading
from typing import Any

from kazoo.exceptions import BadVersionError, KazooException, NodeExistsError, NoNodeError

from common.clock import Clock
from common.errors import Unavailable
from common.locks.zookeeper import names
from common.locks.zookeeper.config import ZookeeperConfig
from common.locks.zookeeper.session import OutcomeUnknown, Session
from common.locks.zookeeper.view import View

_TRIES = 3  # to create a node whose folder or previous holder changes meanwhile


class ZookeeperClaim:
    """A claim that is held. Threads may share it."""

    def __init__(self, locks: "ZookeeperLocks", name: str, fence: int, generation: int) -> None:
        self.name = name
        self.fence = fence
        self._locks = locks
        self._generation = generation
        self._released = False
        self._version = 0

    def update(self, value: bytes) -> None:
        """Change the published value. Raises Unavailable, also if the claim is not held."""
        if not self.held(ask=True):
            raise Unavailable(f"the claim {self.name} is no longer held")
        try:
            path = names.leaf(self._locks.config, self.name)
            changed = self._locks.session.call(
                lambda client: client.set_async(path, value, self._version)
            )
            self._version = changed.version
        except KazooException as error:
            raise Unavailable(f"the claim {self.name} is no longer held") from error

    def held(self, *, ask: bool = False) -> bool:
        """Whether the claim is, as far as can be known now, still ours.

        ask: always ask the ensemble. Otherwise it is not asked while the session was confirmed a
        moment ago and was not interrupted.
        Without an answer: True only while the session cannot have expired.
        """
        session = self._locks.session
        if self._released:
            return False
        if not ask and self._generation == session.generation and session.recently_confirmed:
            return True
        generation = session.generation
        try:
            found = self._locks.node_state(self.name)
        except Unavailable:
            return self._generation == session.generation and session.cannot_have_expired
        if found is None or found.czxid != self.fence:
            return False
        self._generation = generation
        self._version = found.version
        return True

    def release(self) -> None:
        """Release the claim. Releasing twice is harmless.

        Raises Unavailable if the ensemble does not answer. The node is then deleted later, or ends
        with the session.
        """
        if not self._released:
            self._released = True
            self._locks.delete_claim(self)


class ZookeeperLocks:
    """Locks among all processes that use one root of one ensemble."""

    def __init__(self, config: ZookeeperConfig, clock: Clock) -> None:
        self.config = config
        self.session = Session(config, clock)
        self._view = View(self.session, names.top(config))
        self._guard = threading.Lock()
        self._claims: dict[str, ZookeeperClaim] = {}
        self._acquiring: set[str] = set()
        self._orphans: set[str] = set()

    def acquire(self, name: str, value: bytes) -> ZookeeperClaim | None:
        """Claim the name and publish `value`; None if another holder has it."""
        names.leaf(self.config, name)
        with self._guard:
            if name in self._acquiring:
                return None
            self._acquiring.add(name)
        try:
            self._remove_orphans()
            return self._create(name, value)
        except OutcomeUnknown:
            with self._guard:
                self._orphans.add(name)  # our node may exist without a claim
            raise
        finally:
            with self._guard:
                self._acquiring.discard(name)

    def holders(self, prefix: str) -> dict[str, bytes]:
        """Names under the prefix that are held now, and the values their holders published."""
        self._remove_orphans()
        return self._view.held(prefix)

    def close(self) -> None:
        """Release every claim of this process, by ending its session."""
        self.session.close()
        with self._guard:
            for claim in self._claims.values():
                claim._released = True
            self._claims.clear()

    def node_state(self, name: str) -> Any:
        """The node's state; None if it does not exist. Raises Unavailable."""
        path = names.leaf(self.config, name)
        return self._ask(lambda client: client.exists_async(path))

    def delete_claim(self, claim: ZookeeperClaim) -> None:
        """Delete the claim's node, if it still is of this claim. Raises Unavailable."""
        with self._guard:
            if self._claims.get(claim.name) is claim:
                del self._claims[claim.name]
        try:
            self._delete(claim.name, claim.fence)
        except Unavailable:
            with self._guard:
                self._orphans.add(claim.name)
            raise

    def _create(self, name: str, value: bytes) -> ZookeeperClaim | None:
        path = names.leaf(self.config, name)
        for _ in range(_TRIES):
            generation = self.session.generation
            try:
                _, made = self.session.call(
                    lambda client: client.create_async(
                        path, value, ephemeral=True, include_data=True
                    )
                )
            except NoNodeError:
                self._ask(lambda client: client.ensure_path_async(names.folder_of(path)))
            except NodeExistsError:
                if not self._remove_orphan(name):
                    return None
            except KazooException as error:
                raise Unavailable(f"ZooKeeper answered {type(error).__name__}") from error
            else:
                claim = ZookeeperClaim(self, name, made.czxid, generation)
                with self._guard:
                    self._claims[name] = claim
                    self._orphans.discard(name)
                return claim
        return None

    def _remove_orphan(self, name: str) -> bool:
        """Delete the name's node if it is of this session and of no claim.

        Such a node is left by a creation whose outcome was unknown. False if the name is held.
        """
        found = self.node_state(name)
        if found is None:
            return True
        with self._guard:
            claim = self._claims.get(name)
        if found.ephemeralOwner != self.session.id or (claim and claim.fence == found.czxid):
            return False
        self._delete(name, found.czxid)
        return True

    def _remove_orphans(self) -> None:
        """Delete nodes whose creation or deletion had an unknown outcome. Raises Unavailable."""
        with self._guard:
            orphans = [name for name in self._orphans if name not in self._acquiring]
        for name in orphans:
            found = self.node_state(name)
            with self._guard:
                claim = self._claims.get(name)
            ours = found is not None and found.ephemeralOwner == self.session.id
            if ours and not (claim and claim.fence == found.czxid):
                self._delete(name, found.czxid)
            with self._guard:
                self._orphans.discard(name)

    def _delete(self, name: str, fence: int) -> None:
        """Delete the node that was created by this transaction. Raises Unavailable."""
        path = names.leaf(self.config, name)
        found = self.node_state(name)
        if found is None or found.czxid != fence:
            return
        try:
            self.session.call(lambda client: client.delete_async(path, found.version))
        except NoNodeError:
            return
        except BadVersionError:  # its holder has just changed it, so the holder is alive
            return
        except KazooException as error:
            raise Unavailable(f"ZooKeeper answered {type(error).__name__}") from error

    def _ask(self, send: Any) -> Any:
        try:
            return self.session.call(send)
        except KazooException as error:
            raise Unavailable(f"ZooKeeper answered {type(error).__name__}") from error
