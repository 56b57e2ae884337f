"""OTLP/JSON to the protobuf bytes of the same request, so that both have one mapping to events.

`selected` is the entrance. `schema` tells what messages there are. The readable transcoder:
`transcode` parses and walks, `scalars` tells how lenient each kind of value is read. The compiled
one: `compiled` and `kernel`, driven by tables made of the schema.
"""
