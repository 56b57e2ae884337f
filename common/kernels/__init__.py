"""What every compiled kernel shares: it is compiled early, in the background, and tried before use.

    compile               how functions are compiled
    intrinsics            machine instructions that numba has no name for
    precompile            the compiling process, and the folder of a compilation
    folder                whether what is in such a folder is what was written
    numba_cache_locator   numba keeps to that folder, also where it can only be read
    background            starts that process, loads what it made in a thread, logs the outcome
    trial                 loads a kernel and compares it with the reference
    selected              the implementation that serves: reference or compiled

A kernel's module of loading has `SOURCES`, the packages whose compiled code it is, `compile_all`
and `load`.
"""
