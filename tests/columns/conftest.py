"""The encoders that segments are written with, each in turn."""

from tests.parquet.conftest import encoders as encoders
from tests.parquet.conftest import kernel as kernel
