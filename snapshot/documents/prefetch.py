"""Reads documents in parallel and returns them in order.

A store answers one request in milliseconds and hundreds in a second. So a chain of manifests is
read with several requests at once, and only as far as the caller iterates.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from common import limits
from common.errors import DamagedObject, ObjectMissing
from common.struct_types import prepare_structs

T = TypeVar("T")
NoDocument = DamagedObject | ObjectMissing


def prefetch_documents(
    load: Callable[[str], T],
    keys: Iterable[str],
    at_once: int = limits.DOCUMENT_FETCHES_MAX,
) -> Iterator[tuple[str, T | NoDocument]]:
    """(key, document or why there is none), in the order of `keys`. Blocks.

    at_once: maximum number of documents that are read beyond the one that is returned.
    Other errors of `load` are raised at their document's turn.
    """
    prepare_structs()
    waiting: deque[tuple[str, Future[T | NoDocument]]] = deque()
    rest = iter(keys)
    threads = ThreadPoolExecutor(at_once, thread_name_prefix="documents")
    try:
        while True:
            while len(waiting) < at_once and (key := next(rest, None)) is not None:
                waiting.append((key, threads.submit(_outcome, load, key)))
            if not waiting:
                return
            key, future = waiting.popleft()
            yield key, future.result()
    finally:
        threads.shutdown(cancel_futures=True)


def _outcome(load: Callable[[str], T], key: str) -> T | NoDocument:
    try:
        return load(key)
    except (DamagedObject, ObjectMissing) as error:
        return error
