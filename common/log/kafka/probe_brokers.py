"""Probes each broker individually: those in the settings and those in the cluster's metadata."""

import asyncio
import random

from common.errors import LogUnavailable
from common.log.kafka.cluster import Cluster
from common.log.kafka.config import KafkaConfig
from common.log.kafka.connect import Connector
from common.probe_result import ServerAnswer, State

PROBE_TIMEOUT_S = 3.0
Address = tuple[str, int]


async def probe_brokers(
    config: KafkaConfig, timeout_s: float = PROBE_TIMEOUT_S
) -> tuple[list[ServerAnswer], frozenset[str]]:
    """Each broker's state, and the ids of those that do not answer.

    timeout_s: for a connection to one broker, and again for its answer.
    Raises LogUnavailable if certificates cannot be read.
    """
    connector = await asyncio.to_thread(Connector, config)
    known = await _known(config, connector, timeout_s)
    named: dict[Address, str] = {address: f"broker {node}" for node, address in known.items()}
    for address in config.addresses():
        named.setdefault(address, "broker")
    answers = await asyncio.gather(
        *(_probe(connector, name, address, timeout_s) for address, name in named.items())
    )
    bad = {a for a, answer in zip(named, answers, strict=True) if answer.state is not State.GOOD}
    unresponsive = frozenset(str(node) for node, address in known.items() if address in bad)
    return answers, unresponsive


async def _known(config: KafkaConfig, connector: Connector, timeout_s: float) -> dict[int, Address]:
    """Addresses of the brokers by id, from the cluster's metadata; empty if no broker answers."""
    cluster = Cluster(config, connector, random.Random())
    try:
        async with asyncio.timeout(timeout_s * 2):
            await cluster.refresh()
        return {int(broker.name): broker.address for broker in cluster.brokers()}
    except (LogUnavailable, TimeoutError):
        return {}
    finally:
        await cluster.close()


async def _probe(
    connector: Connector, name: str, address: Address, timeout_s: float
) -> ServerAnswer:
    host, port = address
    shown = f"{name} ({host}:{port})" if name != "broker" else f"broker {host}:{port}"
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return ServerAnswer(shown, State.CLOSED, f"no connection within {timeout_s:g} s")
    except OSError as error:
        return ServerAnswer(shown, State.CLOSED, error.strerror or type(error).__name__)
    writer.close()
    try:
        connection = await connector.connect(host, port, timeout_s)
    except ConnectionError as error:
        if isinstance(error.__cause__, TimeoutError):
            return ServerAnswer(shown, State.FROZEN, f"no answer within {timeout_s:g} s")
        return ServerAnswer(shown, State.WRONG, str(error))
    connection.close()
    return ServerAnswer(shown, State.GOOD)
