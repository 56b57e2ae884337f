"""Shredding, compiled: from lines of records straight to columns.

    memory     the fixed buffers of a pass; no data makes them grow
    keys       names of fields: predicted from the one before, else found by hash
    events     one event's object into cells
    lines      the lines of the records: time, rate and index in its record of each event
    columns    cells into columns, in one allocation

`indexer.shred.compiled` calls it, and the reference for what it cannot prove valid.
`indexer.shred.load_compiled` compiles it in a process of its own; the reference serves until then.

A cell is 16 bytes: row and column in one word, the value or the position of its text in the other.
"""
