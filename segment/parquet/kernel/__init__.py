"""Parquet's encodings, compiled: values of a column into the bytes of its pages.

    dictionary  values to indices in order of first appearance, or TOO_MANY
    hybrid      indices and definition levels as runs and packed groups
    plain       texts with their lengths, booleans
    delta       integers and lengths of texts as differences
    ranges      smallest and largest numbers, steps from text to text
    order       smallest and largest texts
    bloom       the hash and the split block filter of texts
    bits        variable-length integers, eight values packed
    by_row      cells of many columns in the order of rows
    pairs       texts made of two
    masked      a short text as four integers in one load

`segment.parquet.load_compiled` compiles it in a process of its own.

Inputs are contiguous arrays: values as in `SparseColumn`, only those present, with their row
numbers in an array of their own. A slice [first, end) counts present values. Texts are `offsets`
(int64, one more than texts, not decreasing) into `data`; they need not begin at 0, nor end where
`data` does. Nothing beyond an array's end is read.

`out` is uint8, `at` the position to write to; functions return the position after what they wrote.
Wide stores overwrite some bytes after it, never more than the function's `..._bound`: if `out` has
fewer bytes after `at`, nothing is written and `FULL` is returned. Every function is linear in its
input, allocates nothing and gives the same bytes for the same values.
"""
