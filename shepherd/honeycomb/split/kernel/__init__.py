"""Splitting, compiled: a batch body straight into the lines of a record.

    memory    the fixed buffers of a pass: whatever the body, nothing grows
    body      the array and its elements
    element   one event: its members, of which data, time and samplerate count
    data      the event's data checked: syntax, UTF-8, numbers, limits
    times     the usual forms of a time
    lines     an event as a line of a record

`shepherd.honeycomb.split.compiled` calls it. `shepherd.honeycomb.split.load_compiled` compiles it
in a process of its own; the reference serves until then.

The kernel accepts only what it proves valid. An element that it does not accept goes to the
reference scanner by itself, and a body that is not an array of elements goes there whole. So no
rule and no error text is written twice.
"""
