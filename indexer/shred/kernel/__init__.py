"""Shredding, compiled: lines of records straight into columns.

    memory     the fixed buffers of a pass: whatever the data, nothing grows
    keys       names of fields: predicted from the one before, else found by hash
    events     one event's object into cells
    lines      the lines of the records: time, rate, place of each event
    columns    cells into columns, one allocation for all of them

`indexer.shred.compiled` calls it, and the reference for what it cannot prove valid.
`indexer.shred.load_compiled` compiles it in a process of its own; the reference serves until then.

A cell is 16 bytes: row and column in one word, in the other the value, or where its text is.
"""
