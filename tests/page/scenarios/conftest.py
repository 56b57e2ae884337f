"""One system for the scenarios of the page that break nothing, with everything in it."""

import time
from collections.abc import Iterator

import pytest

from tests.page import data, odd_data
from tests.page.running import page_setting
from tests.system.harness import System, running

SENT = 2_000  # events of one request


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with a shop, its logs, odd names, 2,000 fields, a large and an open trace."""
    with running(tmp_path_factory.mktemp("page"), *page_setting()) as system:
        now_s = time.time()
        send(system, "shop", data.requests(now_s))
        send(system, "logs", data.logs(now_s))
        send(system, odd_data.HOSTILE_DATASET, odd_data.hostile(now_s))
        send(system, odd_data.WIDE_DATASET, odd_data.wide(now_s))
        send(system, "spans", odd_data.large_trace(now_s))
        send(system, "jobs", odd_data.open_trace(now_s))
        yield system


def send(system: System, dataset: str, events: odd_data.Events) -> None:
    """Send events and wait until they can be asked for."""
    for at in range(0, len(events), SENT):
        receipt = system.send(dataset, events[at : at + SENT])
    system.ask(dataset, {"calculations": [{"op": "COUNT"}]}, after=receipt)
