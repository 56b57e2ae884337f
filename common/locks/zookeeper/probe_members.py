"""Probes every single member of the ensemble.

A client with several addresses uses the first member that answers, so it shows nothing about the
others.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from kazoo.exceptions import KazooException

from common.clock import Clock
from common.errors import Unavailable
from common.locks.zookeeper import names
from common.locks.zookeeper.config import ZookeeperConfig, members_of
from common.locks.zookeeper.session import Session
from common.probe_result import ServerAnswer, State, ask_bytes

PROBE_TIMEOUT_S = 2.0
_AT_ONCE_MAX = 8
_SERVER = b"srvr"  # a member answers it also without a quorum, possibly with a refusal


def probe_members(
    config: ZookeeperConfig, clock: Clock, timeout_s: float = PROBE_TIMEOUT_S
) -> list[ServerAnswer]:
    """The state of each member, in the order of the settings. Blocks for some seconds at most.

    timeout_s: for the first byte of a member's answer.
    """
    members = members_of(config)
    if not members:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE_MAX, len(members))) as threads:
        return list(threads.map(lambda member: _probe(member, config, clock, timeout_s), members))


def _probe(member: str, config: ZookeeperConfig, clock: Clock, timeout_s: float) -> ServerAnswer:
    host, _, port = member.rpartition(":")
    name = f"ZooKeeper {member}"
    if config.tls:  # only a session shows it: the library makes the handshake
        state, why = State.GOOD, ""
    else:
        state, why = ask_bytes(host.strip("[]"), int(port), timeout_s, _SERVER)
    if state in (State.CLOSED, State.FROZEN):
        return ServerAnswer(name, state, why)
    session = Session(replace(config, servers=member), clock)
    try:
        session.call(lambda client: client.exists_async(names.top(config)))
    except Unavailable as error:
        text = str(error)
        if "cannot be reached" in text:
            text = (
                f"{why or 'it answers'}, and gives no session: it has no majority of the "
                "ensemble, is starting, or is dead behind a proxy"
            )
        return ServerAnswer(name, State.WRONG, text)
    except KazooException as error:
        return ServerAnswer(name, State.WRONG, f"it answers {type(error).__name__}")
    finally:
        session.close()
    return ServerAnswer(name, State.GOOD)
