"""A Parquet writer for sparse columns: format, pages and file here, the inner loops compiled.

    encoders   the interface of the inner loops: dictionaries, packed integers, levels, ranges
    reference  those loops in numpy and pyarrow: the oracle, and in use without numba
    kernel     the same loops compiled: equal in every byte
    selected   the loops in use: the reference until the kernel is loaded
    compiled   the kernel as those loops; distinct values by sorting where too many collide
    column_chunk  one column: values to pages with bounds, pages to bytes with checksums and index
    footer     schema, column chunks and metadata to the file's end
    format     numbers of the format, and the protocol of headers and footers (Thrift, compact)

pyarrow's writer takes dense arrays, hashes every value of every column with a dictionary and spends
40 ns on a short text: it took a third of the CPU of indexing.
"""
