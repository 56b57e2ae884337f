"""Sample rates of items. Whole numbers are read here, anything else by the reference."""

from common import limits
from common.kernels.compile import FAIL, Bytes, compiled, inlined
from common.kernels.intrinsics import byte_at, load64
from shepherd.otlp.decode.kernel.wire import varint

_INT = 0x18  # tag of an AnyValue's integer
_COLON = 0x3A
_EQUALS = 0x3D
_LOWER_H = 0x68
_LOWER_T = 0x74
_KEY_OF_TEN = 0x0A0A  # the tag of a KeyValue's name, and a size of ten
_SAMPLE_RA = int.from_bytes(b"sampleRa", "little")
_TE = int.from_bytes(b"te", "little")
_CAPITAL = 0x20
_TWO_BYTES = 0xFFFF


@inlined
def is_rate(buffer: Bytes, at: int) -> bool:
    """Whether the KeyValue at `at` is named sampleRate or SampleRate."""
    return bool(
        load64(buffer, at) & _TWO_BYTES == _KEY_OF_TEN
        and load64(buffer, at + 2) | _CAPITAL == _SAMPLE_RA
        and load64(buffer, at + 10) & _TWO_BYTES == _TE
    )


@compiled
def read_rate(buffer: Bytes, at: int, end: int) -> int:
    """The rate that the KeyValue buffer[at:end] tells, whose name was read; or FAIL."""
    key, size = varint(buffer, at + 1)
    value, value_size = varint(buffer, key + size + 1)
    if value_size < 2 or value + value_size != end or byte_at(buffer, value) != _INT:
        return FAIL
    after, rate = varint(buffer, value + 1)
    if after != end or rate < 1 or rate > limits.SAMPLE_RATE_MAX:
        return FAIL
    return rate


@compiled
def may_tell_rate(buffer: Bytes, at: int, end: int) -> bool:
    """Whether a trace state could hold a threshold of sampling: `th:` or `th=`."""
    for here in range(at, end - 2):
        if byte_at(buffer, here) == _LOWER_T and byte_at(buffer, here + 1) == _LOWER_H:
            third = byte_at(buffer, here + 2)
            if third == _COLON or third == _EQUALS:
                return True
    return False
