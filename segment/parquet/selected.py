"""The encoders that serve: the reference first, the compiled ones as soon as they are proved."""

from common.kernels.selected import Selected
from segment.parquet.encoders import Encoders
from segment.parquet.reference import ReferenceEncoders


class SelectedEncoders(Selected[Encoders]):
    """Which implementation writes; changing it changes no byte of any file."""

    def __init__(self) -> None:
        super().__init__("segment writer", ReferenceEncoders(), "segment.parquet.load_compiled")
