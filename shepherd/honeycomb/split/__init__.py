"""Splits a batch body into the lines of a record, by two implementations with equal results.

interface      the protocol of every implementation
reference      in Python, by the scanners of `common.scan`, an object per event: the oracle
kernel/        the same in compiled code (numba), without an object per event
compiled/      calls the kernel, and the reference for elements that the kernel does not handle
load_compiled  compiles the kernel, or loads it, and tests it against the reference
selected       the implementation that serves
"""
