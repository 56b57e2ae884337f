"""The encoders that serve: the reference first, the compiled ones as soon as they are ready."""

from pathlib import Path

from common.kernels.background import is_compiled, load_compiled, prepare
from common.metrics import kernel_active
from segment.parquet.encoders import Encoders
from segment.parquet.reference import ReferenceEncoders

_WHAT = "segment writer"
_MODULE = "segment.parquet.load_compiled"


class ActiveEncoders:
    """Which implementation is active; changing it changes no byte of any file."""

    def __init__(self) -> None:
        self.now: Encoders = ReferenceEncoders()
        kernel_active.labels(_WHAT).set(0)

    async def load_cached(self, folder: Path) -> bool:
        """Write with the kernel if it was compiled before. Returns whether it was.

        If it was and yet cannot be used, that is said, and the reference goes on.
        """
        if not await is_compiled(folder, _MODULE):
            return False
        self._serve(await load_compiled(_WHAT, folder, _load))
        return True

    async def activate_kernel(self, folder: Path) -> None:
        """Have the kernel compiled in `folder`, try it, and write with it from then on."""
        self._serve(await prepare(_WHAT, folder, _MODULE, _load))

    def _serve(self, kernel: Encoders | None) -> None:
        if kernel is not None:
            self.now = kernel
            kernel_active.labels(_WHAT).set(1)


def _load(folder: Path) -> Encoders:
    from segment.parquet import load_compiled  # numba: only where it is wanted, never on the loop

    loaded: Encoders = load_compiled.load(folder)
    return loaded
