"""Compiled code goes to the tests' own folder; this has to be said before it is imported."""

import common.scan.kernel
import segment.parquet.kernel
from common.kernels.compile import options
from common.kernels.precompile import use_cache
from tests.kernel_cache import KERNEL_CACHE

use_cache(
    KERNEL_CACHE / "checked" if options.checked else KERNEL_CACHE,
    (common.scan.kernel, segment.parquet.kernel),
)
