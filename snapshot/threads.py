"""Threads for calls to the object store, separate from all others of the process (I8).

A store that does not answer delays each call by half a minute. However many partitions wait for it,
the threads that shred, open segments for queries and call the locks stay free.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from common import limits

P = ParamSpec("P")
T = TypeVar("T")
_threads = ThreadPoolExecutor(limits.STORE_THREADS_MAX, thread_name_prefix="store")
_upkeep = ThreadPoolExecutor(limits.STORE_UPKEEP_THREADS_MAX, thread_name_prefix="store-upkeep")


async def to_store_thread(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """As `asyncio.to_thread`, for work that waits for the object store."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads, partial(work, *arguments, **options))


async def to_upkeep_thread(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """As `to_store_thread`, for long work that can wait: what publishes never waits for it."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_upkeep, partial(work, *arguments, **options))
