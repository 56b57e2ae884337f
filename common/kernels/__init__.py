"""What every compiled kernel shares: compiled ahead, in the background, loaded when proved.

    ahead       a compilation's folder, named after sources and versions; the compiling process
    locator     numba keeps to that folder, also where it can only be read
    folder      whether what is in such a folder is what was written
    background  a role starts that process, loads what it made in a thread, and says how it went

A kernel is a module with `SOURCES`, the packages whose compiled code it is, and `compile_all`.
"""
