"""The tables say what the protobuf definitions say."""

from google.protobuf.descriptor import FieldDescriptor

from shepherd.otlp.decode.interface import Signal
from shepherd.otlp.json.schema import ENUM_PREFIXES, ENUMS, MESSAGES, Kind
from tests.shepherd.otlp.json.protobuf import descriptors

TYPES = {
    FieldDescriptor.TYPE_MESSAGE: Kind.MESSAGE,
    FieldDescriptor.TYPE_STRING: Kind.STRING,
    FieldDescriptor.TYPE_BYTES: Kind.BYTES,
    FieldDescriptor.TYPE_BOOL: Kind.BOOL,
    FieldDescriptor.TYPE_INT32: Kind.INT32,
    FieldDescriptor.TYPE_UINT32: Kind.UINT32,
    FieldDescriptor.TYPE_SINT32: Kind.SINT32,
    FieldDescriptor.TYPE_INT64: Kind.INT64,
    FieldDescriptor.TYPE_UINT64: Kind.UINT64,
    FieldDescriptor.TYPE_FIXED32: Kind.FIXED32,
    FieldDescriptor.TYPE_FIXED64: Kind.FIXED64,
    FieldDescriptor.TYPE_SFIXED64: Kind.SFIXED64,
    FieldDescriptor.TYPE_DOUBLE: Kind.DOUBLE,
    FieldDescriptor.TYPE_ENUM: Kind.ENUM,
}
DESCRIPTORS = {name: found for signal in Signal for name, found in descriptors(signal).items()}


def test_every_message_has_its_fields_with_number_type_and_name() -> None:
    assert set(MESSAGES) == set(DESCRIPTORS)
    for name, fields in MESSAGES.items():
        declared = {field.name: field for field in fields}
        defined = {field.name: field for field in DESCRIPTORS[name].fields}
        assert set(declared) == set(defined)
        for field, descriptor in defined.items():
            ours = declared[field]
            assert ours.number == descriptor.number
            assert ours.json_name == descriptor.json_name
            assert ours.repeated == descriptor.is_repeated
            kind = Kind.BYTES if ours.kind is Kind.ID else ours.kind
            assert kind is TYPES[descriptor.type]
            assert ours.repeated or ours.always == descriptor.has_presence
            inner = descriptor.message_type or descriptor.enum_type
            assert ours.type == (inner.name if inner else "")


def test_ids_are_the_bytes_that_the_specification_writes_in_hexadecimal() -> None:
    ids = {f.name for fields in MESSAGES.values() for f in fields if f.kind is Kind.ID}
    assert ids == {"trace_id", "span_id", "parent_span_id"}


def test_enums_have_their_names_in_the_order_of_their_numbers() -> None:
    enums = {
        field.enum_type.name: field.enum_type
        for descriptor in DESCRIPTORS.values()
        for field in descriptor.fields
        if field.enum_type is not None
    }
    assert set(ENUMS) == set(enums) == set(ENUM_PREFIXES)
    for name, enum in enums.items():
        prefix = ENUM_PREFIXES[name]
        assert [prefix + short for short in ENUMS[name]] == [value.name for value in enum.values]
        assert [value.number for value in enum.values] == list(range(len(enum.values)))
