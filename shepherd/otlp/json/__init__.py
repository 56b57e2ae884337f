"""OTLP/JSON to the protobuf bytes of the same request, so that both have one mapping to events.

`transcode` is the entrance; `schema` tells what messages there are; `scalars` how lenient each
kind of value is read; `reference` walks over the parsed text.
"""
