"""Compiled code goes to the tests' own folder; this has to be said before it is imported."""

import common.parquet.kernel
import common.scan.kernel
from common.kernels.ahead import use_cache
from common.scan.kernel.build import options
from tests.kernel_cache import KERNEL_CACHE

use_cache(
    KERNEL_CACHE / "checked" if options.checked else KERNEL_CACHE,
    (common.scan.kernel, common.parquet.kernel),
)
