"""An earlier build of the program beside this one: which of them each role of a cluster runs."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from compose.cluster.cluster import Cluster
from compose.cluster.roles import Role
from tests.kernel_cache import KERNEL_CACHE, OLD_KERNEL_CACHE
from tests.old_build.make_data import COMMIT

ROOT = Path(__file__).resolve().parents[2]
OLD_BUILD = "BELLWETHER_TEST_OLD_BUILD"  # environment: a checkout of the earlier build


def old_build(folder: Path) -> Path:
    """A checkout of `COMMIT`: the one that the environment names, or from this history.

    Skips the test where there is neither.
    """
    if given := os.environ.get(OLD_BUILD):
        return Path(given).resolve()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", COMMIT], capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"commit {COMMIT} is not in this history: name a checkout in {OLD_BUILD}")
    target = folder / "old-build"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(target, filter="data")
    return target


class Builds:
    """Two builds, and a cluster whose roles run one or the other after their next start."""

    def __init__(self, cluster: Cluster, old: Path) -> None:
        self._old = old
        self._extra = {role.name: dict(role.extra) for role in cluster.roles}

    def use_old(self, roles: Iterable[Role]) -> None:
        """These roles are the earlier build's when they start again."""
        for role in roles:
            role.extra = {
                **self._extra[role.name],
                "PYTHONPATH": str(self._old),
                "BELLWETHER_INDEXER_KERNEL_CACHE": str(OLD_KERNEL_CACHE),
                "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(OLD_KERNEL_CACHE),
            }

    def use_new(self, roles: Iterable[Role], **settings: str) -> None:
        """These roles are this build's, with these settings, when they start again."""
        for role in roles:
            role.extra = {
                **self._extra[role.name],
                "PYTHONPATH": str(ROOT),
                "BELLWETHER_INDEXER_KERNEL_CACHE": str(KERNEL_CACHE),
                "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(KERNEL_CACHE),
                **settings,
            }
