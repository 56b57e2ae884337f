"""Where numba looks for compiled code: in the one folder that was verified, and nowhere else.

Left to itself, numba takes the folder only if it can write to it. Where it is read-only (part of
an image, or another user's), a role would compile everything anew while it serves, and keep the
code beside the sources, where no digests are compared before it is loaded.
"""

import os

from numba.core.caching import UserProvidedCacheLocator


class KernelFolder(UserProvidedCacheLocator):
    """The configured folder, whether it can be written or not; saving there may raise OSError."""

    @classmethod
    def from_function(cls, py_func: object, py_file: str) -> "KernelFolder | None":
        """numba asks for each function when it is decorated. None: it has no source file."""
        return cls(py_func, py_file) if os.path.exists(py_file) else None
