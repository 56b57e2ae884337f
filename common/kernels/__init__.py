"""Compiled kernels (numba) and their Python references: compiling, caching, testing, selecting.

A *kernel* is compiled code with exactly the results of a *reference* in Python. The reference
serves until the kernel is compiled and tested.

    compile               how functions are compiled
    intrinsics            machine instructions that numba has no name for
    precompile            the compiling process, and the folder of a compilation
    folder                checks the files of such a folder by their digests
    numba_cache_locator   makes numba use only that folder, even if it is read-only
    background            starts that process, loads its code in a thread, logs the outcome
    trial                 loads a kernel and compares it with the reference
    selected              the implementation that serves: reference or compiled

A kernel's loading module has `SOURCES` (the packages with its compiled code), `compile_all` and
`load`.
"""
