"""The encoders in use: the reference first, the compiled ones once they are proved equal."""

from common.kernels.selected import Selected
from segment.parquet.encoders import Encoders
from segment.parquet.reference import ReferenceEncoders


class SelectedEncoders(Selected[Encoders]):
    """The selected implementation; all write the same bytes."""

    def __init__(self) -> None:
        super().__init__("segment writer", ReferenceEncoders(), "segment.parquet.load_compiled")
