"""Parquet's encodings, compiled: values of a column into the bytes of its pages.

    dictionary  values to indices in order of first appearance, or word of too many
    hybrid      indices and definition levels as runs and packed groups
    plain       texts with their lengths, booleans
    delta       integers and lengths of texts as differences
    ranges      smallest and largest numbers, steps from text to text
    order       smallest and largest texts
    bloom       the hash and the split block filter of texts
    bits        variable-length integers, eight values packed
    by_row      cells of many columns in the order of rows
    pairs       texts put together from two
    masked      the words of a short text in one load

`segment.parquet.load_compiled` compiles it in a process of its own.

What is read are contiguous arrays: values as `SparseColumn` has them, only those present, with
their row numbers apart. A slice [first, end) counts present values. Texts are `offsets`, int64 and
one more than texts, not decreasing, into `data`; they need not begin at 0, nor end where `data`
does. Nothing beyond an array's end is read.

`out` is uint8, `at` where to write; what is returned is the place behind what was written. Wide
stores spoil some bytes behind it, and never more than the bound that stands beside each function:
where `out` has not so many bytes behind `at`, nothing is written and `FULL` returned. Every
function is linear in its input, allocates nothing and gives the same bytes for the same values.
"""
