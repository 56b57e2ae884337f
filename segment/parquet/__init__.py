"""A Parquet writer for sparse columns: format, pages and file here, the inner loops compiled.

    encoders   what the inner loops are: dictionaries, packed integers, levels, ranges
    reference  those loops in numpy and pyarrow: the oracle, and what serves without numba
    kernel     the same loops compiled: equal in every byte
    crowded    what the compiled dictionaries ask when values were chosen to meet in their table
    column     one column's values to pages: which encoding, how long a page, what is said of it
    chunk      pages to the bytes of a column chunk: compression, checksums, page index
    footer     schema, column chunks and metadata to the file's end
    thrift     the compact protocol in which headers and footers are written

Why not pyarrow's writer: it takes dense arrays, hashes every value of every column with a
dictionary, and spends 40 ns on a short text; so it took a third of all that indexing costs.
"""
