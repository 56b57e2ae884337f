"""Waiting in tests: as long as a slow, busy machine needs, and no longer than until it comes about.

A time-out here never decides a test that passes: it only ends one that would hang.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.02


async def eventually(condition: Callable[[], object | Awaitable[object]]) -> None:
    """Wait until the condition is true. For what no event tells of."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            is_true = condition()
            if inspect.isawaitable(is_true):
                is_true = await is_true
            if is_true:
                return
            await asyncio.sleep(_PAUSE_S)
