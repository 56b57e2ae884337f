"""Field summaries: what a segment holds in each column, in a bounded object beside it.

    summary  the values, their bytes in the object store
    compute  a summary from a segment's columns
    distinct counts and hashes of the values of one column
    sizes    every bound, with its reason

A summary is derived from its segment alone, and part of no digest: a question that lacks one, or
cannot read it, reads the segment.
"""
