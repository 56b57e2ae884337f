"""How the kernel's functions are compiled: without the GIL, cached on disk, optionally checked.

Import this before any other module of a kernel and set `options` first: decorators read them when
those modules are imported. `checked` verifies every access to memory, at a tenth of the speed; the
fuzzers run with it.

Without numba's runtime (`_nrt`) a call passes arrays as they are. With it every call of a function
that is not inlined counted their references with locked instructions, 0.4 of 1.3 µs per wide event.
The caller holds the arrays meanwhile; a function that allocates would not compile. No C code calls
the compiled functions, so the wrappers for that are left out (a tenth of compiling).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
F = TypeVar("F", bound=Callable[..., object])

# numba's types do not name them.
_UNTYPED: dict[str, Any] = {"_nrt": False, "no_cfunc_wrapper": True}
FAIL = -1  # not proved valid: the reference decides
FULL = -2  # no room in a table or buffer of this pass
SENTINEL_BYTES = 64  # after every buffer: the widest access is 32 bytes


@dataclass(slots=True)
class Options:
    """checked: bounds of every access are verified; cached: compiled code is kept on disk."""

    checked: bool = False
    cached: bool = True


options = Options()


def compiled(function: F) -> F:
    """Compile on first use."""
    return cast(F, _jit(function, inline=False))


def inlined(function: F) -> F:
    """Compile into each caller: for the few lines that run once per byte, key or value."""
    return cast(F, _jit(function, inline=not options.checked))


def _jit(function: Callable[..., object], inline: bool) -> object:
    njit = cast(Callable[..., Any], numba.njit)  # its types do not know `_nrt`
    jit = njit(
        nogil=True,
        cache=options.cached,
        error_model="numpy",  # no test for division by zero
        boundscheck=options.checked,
        forceinline=inline,
        **_UNTYPED,
    )
    return jit(function)
