"""msgpack bodies, compiled: straight into the lines of a record, each value as its JSON.

    tokens   heads of msgpack values; any value passed over
    data     an event's data written as JSON, and checked while it is written
    element  one event: its members, of which data, time and samplerate count
    body     the array and its elements

A body is valid if the reference's unpacker accepts it, so every byte is checked, also in members
that do not count. There is no sentinel here, since any byte may follow a text: positions are
compared with the end of the body after each value. A head is 9 bytes at most, and the body has
SENTINEL_BYTES after it, so that its loads stay inside.
"""
