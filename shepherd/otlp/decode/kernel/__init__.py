"""The compiled decoder's kernel: turns spans or log records into lines of records.

    memory        the buffers of a pass, of fixed size for any request
    request       the walk: resources, scopes, items
    tail          what a scope and its resource give each event, written once
    spans         a span's lines
    log_records   a log record's line
    annotations   those of its events and links
    exceptions    what a span gets of the exceptions among its events
    event_fields  the fields of the event that is being written
    attributes    an attribute as a field
    values        its value
    names, fields names of attributes, found again quickly; names that the mapping knows
    ids, rates    ids of traces and spans; sample rates
    wire          protobuf's varints and fields

`shepherd.otlp.decode.compiled` calls it. `shepherd.otlp.decode.load_compiled` compiles it in a
process of its own; the reference serves until then.

The kernel writes only items that it proves to be as the reference would write them. The reference
reads each other item by itself, and a whole request that is odd beyond its items. So each rule and
error text exists once.
"""
