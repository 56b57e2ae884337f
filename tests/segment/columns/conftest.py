"""The encoders that segments are written with, each in turn."""

from tests.segment.parquet.conftest import encoders as encoders
from tests.segment.parquet.conftest import kernel as kernel
