"""The implementation that serves: first the reference, then the compiled one once it is tested.

Both give the same results; only their speed differs (I3). The compiled one is loaded from a named
module, with

    SOURCES                       the packages whose compiled code it is
    compile_all(folder)           compiles everything that serving calls; for `precompile`
    load(folder, *arguments)      the compiled implementation, after it was tried; raises

That module imports numba: it is imported only where compiled code is wanted, in a thread.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from common.kernels.background import is_compiled, load_compiled, prepare
from common.metrics import kernel_active

T = TypeVar("T")


class Selected(Generic[T]):
    """now: the implementation that serves now."""

    def __init__(self, what: str, reference: T, module: str) -> None:
        """what: the name in the log and in the metric. module: the module that has `load`."""
        self.now: T = reference
        self._what = what
        self._module = module
        kernel_active.labels(what).set(0)

    async def load_cached(self, folder: Path, *arguments: object) -> bool:
        """Serve with compiled code if it was compiled before. Returns whether it was.

        If the cached code cannot be used, that is logged, and the reference continues to serve.
        """
        if not await is_compiled(folder, self._module):
            return False
        self._select(await load_compiled(self._what, folder, self._loader(arguments)))
        return True

    async def use_compiled(self, folder: Path, *arguments: object) -> None:
        """Compile the kernel in `folder`, load and test it, then serve with it."""
        self._select(await prepare(self._what, folder, self._module, self._loader(arguments)))

    def _loader(self, arguments: tuple[object, ...]) -> Callable[[Path], T]:
        def load(folder: Path) -> T:
            compiled: T = importlib.import_module(self._module).load(folder, *arguments)
            return compiled

        return load

    def _select(self, compiled: T | None) -> None:
        if compiled is not None:
            self.now = compiled
            kernel_active.labels(self._what).set(1)
