"""One whole cluster for all scenarios of a session; each of them mends what it broke."""

from collections.abc import Iterator

import pytest

from compose.cluster.cluster import Cluster
from compose.install import InstallFailed
from tests.cluster import harness
from tests.servers import refuse


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three brokers, three members of ZooKeeper, MariaDB, S3, and every role in three zones."""
    try:
        started = harness.start(tmp_path_factory.mktemp("cluster"))
    except InstallFailed as error:
        refuse(f"the cluster's scenarios were not run: {error}")
        raise
    yield started
    started.stop()
