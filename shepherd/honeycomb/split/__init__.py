"""Splitting a batch body into the lines of a record: the reference, and a compiled one beside it.

interface  what splitting gives: lines of a record, and refusals in their places
reference  by the scanners of `common.scan`, an object per event: the oracle
kernel/    the same in compiled code, without an object per event (loaded by `ahead`)
active     the one that serves
"""
