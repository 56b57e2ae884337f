"""The compiled splitter's kernel: turns a batch body into the lines of a record.

    memory    the buffers of a pass, of fixed size for any body
    body      the array and its elements
    element   one event: its members, of which data, time and samplerate count
    data      the event's data checked: syntax, UTF-8, numbers, limits
    times     the usual forms of a time
    lines     an event as a line of a record

`shepherd.honeycomb.split.compiled` calls it. `shepherd.honeycomb.split.load_compiled` compiles it
in a process of its own; the reference serves until then.

The kernel accepts only elements that it proves valid. The reference scanner reads each other
element by itself, and the whole body if it is not an array of elements. So each rule and error text
exists once.
"""
