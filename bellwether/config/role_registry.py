"""The registry of roles and backends: the configuration class and entry point of each.

The only module that names the roles' packages. A role's code is imported only by the process that
runs it; its configuration is small and imported by every process.
"""

import importlib
import importlib.util
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from common.process.role import (
        RoleContext,  # HTTP and metrics, which a supervisor does not need
    )

Serve = Callable[["RoleContext", Any], Awaitable[None]]
ALL_ROLES = "all-roles"  # the command of a process that runs all of them, and its name in logs
# Front to back: what was acknowledged is finished before its readers stop.
STOP_ORDER = ("shepherd", "query", "indexer")
_CONFIGS = {"shepherd": "ShepherdConfig", "indexer": "IndexerConfig", "query": "QueryConfig"}
_BACKEND_CONFIGS = {
    "kafka": ("common.log.kafka.config", "KafkaConfig"),
    "s3": ("common.objects.s3.config", "S3Config"),
    "mysql": ("common.metadata.mysql.config", "MysqlConfig"),
    "zookeeper": ("common.locks.zookeeper.config", "ZookeeperConfig"),
}


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even its package
        return False


def role_configs() -> dict[str, type]:
    """The configuration dataclass of each role."""
    return {
        role: getattr(importlib.import_module(f"{role}.config"), name)
        for role, name in _CONFIGS.items()
        if _exists(f"{role}.config")
    }


def backend_configs() -> dict[str, type]:
    """The configuration dataclass of each backend of a cluster."""
    return {
        section: getattr(importlib.import_module(module), name)
        for section, (module, name) in _BACKEND_CONFIGS.items()
        if _exists(module)
    }


def load_role(role: str) -> Serve:
    """Import a role's entry point."""
    serve: Serve = importlib.import_module(f"{role}.server").serve
    return serve
