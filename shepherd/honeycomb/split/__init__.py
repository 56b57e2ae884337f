"""Splitting a batch body into the lines of a record: the reference, and a compiled one beside it.

interface      what every implementation does
reference      by the scanners of `common.scan`, an object per event: the oracle
kernel/        the same in compiled code, without an object per event
compiled/      calls the kernel, and the reference for what the kernel leaves to it
load_compiled  compiles the kernel, or loads it, and tries it against the reference
selected       the implementation that serves
"""
