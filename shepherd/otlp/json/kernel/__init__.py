"""OTLP/JSON to protobuf in compiled code, driven by tables of the messages (`tables`).

It proves the text valid as it goes. A value that it does not write itself is named to its caller,
which lets the reference write that one value; a text that it does not prove is the reference's.
"""
