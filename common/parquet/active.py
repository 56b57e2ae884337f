"""The encoders that serve: the reference first, the compiled ones as soon as they are ready."""

from pathlib import Path

from common.kernels.background import prepare
from common.metrics import kernel_active
from common.parquet.encoders import Encoders
from common.parquet.reference import ReferenceEncoders


class ActiveEncoders:
    """Which implementation is active; changing it changes no byte of any file."""

    def __init__(self) -> None:
        self.now: Encoders = ReferenceEncoders()
        kernel_active.labels("segment writer").set(0)

    async def activate_kernel(self, folder: Path) -> None:
        """Have the kernel compiled in `folder`, try it, and write with it from then on."""

        def load(folder: Path) -> Encoders:
            from common.parquet import ahead  # numba: only where it is wanted, never on the loop

            loaded: Encoders = ahead.load(folder)
            return loaded

        kernel = await prepare("segment writer", folder, "common.parquet.ahead", load)
        if kernel is not None:
            self.now = kernel
            kernel_active.labels("segment writer").set(1)
