"""Compiled primitives for scanning JSON, and for writing it, shared by all kernels.

Every function here works on a `bytes` buffer as uint8, with `SENTINEL_BYTES` more after its end.
Positions are int64; a negative result (`FAIL`) means "not proved to be valid": the caller then
calls the reference in `common.scan.json_tokens`, which alone reports errors. So a kernel has no
error texts and refuses nothing by itself (I9).

Nothing here compares a position with the buffer's end: what follows the text is a byte below 32
that is no white space (the line break that ends a line, or padding of NULs). No string, number,
literal or run of white space continues over such a byte, so every loop stops there by itself; wide
loads read at most 32 bytes further, into the padding.
"""
