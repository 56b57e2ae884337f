"""Every member of the ensemble, asked by itself whether it serves.

A client with several addresses takes the first member that answers, so it says nothing about the
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
_SERVER = b"srvr"  # answered by a member also while it has no quorum, if only with a refusal


def probe_members(
    config: ZookeeperConfig, clock: Clock, timeout_s: float = PROBE_TIMEOUT_S
) -> list[ServerAnswer]:
    """What each member answers, in the order of the settings. Blocks for some seconds at most."""
    members = members_of(config)
    if not members:
        return []
    with ThreadPoolExecutor(min(_AT_ONCE_MAX, len(members))) as threads:
        return list(threads.map(lambda member: _probe(member, config, clock, timeout_s), members))


def _probe(member: str, config: ZookeeperConfig, clock: Clock, timeout_s: float) -> ServerAnswer:
    host, _, port = member.rpartition(":")
    name = f"ZooKeeper {member}"
    speaks_first = b"" if config.tls else _SERVER
    if config.tls:  # only a session can tell: its handshake is the library's
        state, why = State.GOOD, ""
    else:
        state, why = ask_bytes(host.strip("[]"), int(port), timeout_s, speaks_first)
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
