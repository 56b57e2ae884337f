"""A Parquet writer for sparse columns: format, pages and file here, the inner loops compiled.

    encoders   the interface of the inner loops: dictionaries, packed integers, levels, ranges
    reference  those loops in numpy and pyarrow: the oracle, and in use without numba
    kernel     the same loops compiled: equal in every byte
    selected   the loops in use: the reference until the kernel is loaded
    compiled   the kernel as those loops
    distinct_by_sorting  distinct values when too many collide in the kernel's hash table
    column     one column's values to pages: encoding, length of pages, bounds
    chunk      pages to the bytes of a column chunk: compression, checksums, page index
    footer     schema, column chunks and metadata to the file's end
    thrift     the compact protocol in which headers and footers are written

pyarrow's writer takes dense arrays, hashes every value of every column with a dictionary and spends
40 ns on a short text: it took a third of the CPU of indexing.
"""
