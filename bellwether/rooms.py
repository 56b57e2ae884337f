"""Which roles there are, what configures each, and how each is entered.

The one place that names the rooms. A role's code is imported only by the process that runs it;
its configuration is small and imported by every process.
"""

import importlib
import importlib.util
from collections.abc import Awaitable, Callable
from typing import Any

from common.role import RoleContext

Serve = Callable[[RoleContext, Any], Awaitable[None]]
_CONFIGS = {"shepherd": "ShepherdConfig", "indexer": "IndexerConfig", "query": "QueryConfig"}


def _exists(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def role_configs() -> dict[str, type]:
    """The configuration dataclass of each role."""
    return {
        role: getattr(importlib.import_module(f"{role}.config"), name)
        for role, name in _CONFIGS.items()
        if _exists(f"{role}.config")
    }


def load_role(role: str) -> Serve:
    """Import a role's entry point."""
    serve: Serve = importlib.import_module(f"{role}.server").serve
    return serve
