"""Creates the root node, and checks that the ensemble serves us."""

import os
from dataclasses import dataclass

from kazoo.exceptions import KazooException

from common.clock import Clock
from common.errors import Unavailable
from common.locks.zookeeper import names
from common.locks.zookeeper.config import ZookeeperConfig, members_of
from common.locks.zookeeper.session import Session


@dataclass(frozen=True, slots=True)
class EnsembleFacts:
    """What `create_root` found.

    made: the root did not exist before.
    ahead_s: how far the leader's clock is ahead of ours.
    members: the number of members in the settings.
    """

    made: bool
    ahead_s: float
    members: int


def create_root(config: ZookeeperConfig, clock: Clock) -> EnsembleFacts:
    """Create the root unless it exists, and create and delete a node. Raises Unavailable."""
    session = Session(config, clock)
    top = names.top(config)
    probe = f"{config.root}/probe-{os.getpid()}-{clock.monotonic_ns()}"
    try:
        found = session.call(lambda client: client.exists_async(top))
        if found is None:
            session.call(lambda client: client.ensure_path_async(top))
        begin_ns = clock.now_ns()
        _, state = session.call(
            lambda client: client.create_async(probe, b"", ephemeral=True, include_data=True)
        )
        ahead_s = state.ctime / 1000 - (begin_ns + clock.now_ns()) / 2e9
        session.call(lambda client: client.delete_async(probe))
    except KazooException as error:
        raise Unavailable(
            f"ZooKeeper at {config.servers} answered {type(error).__name__} below {config.root}"
        ) from error
    finally:
        session.close()
    return EnsembleFacts(found is None, ahead_s, len(members_of(config)))
