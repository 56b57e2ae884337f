"""Machine instructions: unaligned wide loads, byte comparisons as bit masks, 128-bit products.

numba has no name for them, so they are written as LLVM instructions. 32 bytes are compared in one
step: finding the end of a string costs one load, three comparisons and one bit scan instead of a
branch per byte (measured on wide events: scanning at 2.9 GB/s instead of 0.6). `get` and `put` are
plain array accesses without numba's handling of negative indices (8 % of the whole).

All integers are int64: mixing widths or signs makes numba convert, or even turn to floats.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from common.kernels.compile import Bytes, Int64s, compiled, options

LANES = 32
# As callers see it: numba passes the first argument of what is decorated by itself.
_instruction = cast(Callable[[Callable[..., Any]], Callable[..., Any]], intrinsic)
_I8 = ir.IntType(8)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_VECTOR = ir.VectorType(_I8, LANES)


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index])


def _load(context: Any, builder: Any, array_type: Any, args: Any, kind: Any) -> Any:
    at = _address(context, builder, array_type, *args)
    value = builder.load(builder.bitcast(at, kind.as_pointer()))
    value.align = 1
    return value


def _store(context: Any, builder: Any, array_type: Any, array: Any, index: Any, value: Any) -> Any:
    at = _address(context, builder, array_type, array, index)
    stored = builder.store(value, builder.bitcast(at, value.type.as_pointer()))
    stored.align = 1
    return context.get_dummy_value()


def _all(byte: int) -> Any:
    return ir.Constant(_VECTOR, [ir.Constant(_I8, byte)] * LANES)


def _mask(builder: Any, lanes: Any) -> Any:
    return builder.zext(builder.bitcast(lanes, ir.IntType(LANES)), _I64)


@_instruction
def _byte_at(_: Any, buffer: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.zext(_load(context, builder, signature.args[0], args, _I8), _I64)

    return types.int64(buffer, types.int64), generate


@_instruction
def _load64(_: Any, buffer: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load(context, builder, signature.args[0], args, _I64)

    return types.int64(buffer, types.int64), generate


@_instruction
def _special(_: Any, buffer: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _load(context, builder, signature.args[0], args, _VECTOR)
        quote = builder.icmp_unsigned("==", lanes, _all(ord('"')))
        backslash = builder.icmp_unsigned("==", lanes, _all(ord("\\")))
        low_or_high = builder.icmp_signed("<", lanes, _all(32))  # as signed, 128.. is below 0
        return _mask(builder, builder.or_(builder.or_(quote, backslash), low_or_high))

    return types.int64(buffer, types.int64), generate


@_instruction
def _backslashes(_: Any, buffer: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _load(context, builder, signature.args[0], args, _VECTOR)
        return _mask(builder, builder.icmp_unsigned("==", lanes, _all(ord("\\"))))

    return types.int64(buffer, types.int64), generate


@_instruction
def _high(_: Any, buffer: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _load(context, builder, signature.args[0], args, _VECTOR)
        return _mask(builder, builder.icmp_signed("<", lanes, _all(0)))

    return types.int64(buffer, types.int64), generate


@_instruction
def _differing(_: Any, left: Any, i: Any, right: Any, j: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        a = _load(context, builder, signature.args[0], args[:2], _VECTOR)
        b = _load(context, builder, signature.args[2], args[2:], _VECTOR)
        return _mask(builder, builder.icmp_unsigned("!=", a, b))

    return types.int64(left, types.int64, right, types.int64), generate


@_instruction
def _copy32(_: Any, target: Any, i: Any, source: Any, j: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _load(context, builder, signature.args[2], args[2:], _VECTOR)
        return _store(context, builder, signature.args[0], args[0], args[1], lanes)

    return types.none(target, types.int64, source, types.int64), generate


def _storing(kind: Any) -> Callable[..., Any]:
    def store(_: Any, target: Any, at: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = args[2] if kind.width == 64 else builder.trunc(args[2], kind)
            return _store(context, builder, signature.args[0], args[0], args[1], value)

        return types.none(target, types.int64, types.int64), generate

    store.__name__ = f"store{kind.width}"
    return _instruction(store)


_store8 = _storing(_I8)
_store32 = _storing(_I32)
_store64 = _storing(_I64)


@_instruction
def _get(_: Any, array: Any, at: Any) -> Any:
    width = array.dtype.bitwidth

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = _load(context, builder, signature.args[0], args, ir.IntType(width))
        return value if width == 64 else builder.sext(value, _I64)

    return types.int64(array, types.int64), generate


@_instruction
def _put(_: Any, array: Any, at: Any, value: Any) -> Any:
    kind = ir.IntType(array.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = args[2] if kind.width == 64 else builder.trunc(args[2], kind)
        return _store(context, builder, signature.args[0], args[0], args[1], value)

    return types.none(array, types.int64, types.int64), generate


@_instruction
def trailing_zeros(_: Any, word: Any) -> Any:
    """Number of zero bits below the lowest one bit; 64 for 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@_instruction
def leading_zeros(_: Any, word: Any) -> Any:
    """Number of zero bits above the highest one bit; 64 for 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@_instruction
def shift_right(_: Any, word: Any, bits: Any) -> Any:
    """Logical shift, 0 <= bits < 64."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.lshr(args[0], args[1])

    return types.int64(types.int64, types.int64), generate


@_instruction
def below(_: Any, left: Any, right: Any) -> Any:
    """left < right as unsigned integers."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.icmp_unsigned("<", args[0], args[1])

    return types.boolean(types.int64, types.int64), generate


@_instruction
def high_product(_: Any, left: Any, right: Any) -> Any:
    """The upper 64 bits of the product of two unsigned integers."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _I64)

    return types.int64(types.int64, types.int64), generate


@_instruction
def double_bits(_: Any, number: Any) -> Any:
    """The 64 bits of a double."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _I64)

    return types.int64(types.float64), generate


@_instruction
def as_double(_: Any, bits: Any) -> Any:
    """The double of these 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), generate


@_instruction
def widened(_: Any, bits: Any) -> Any:
    """The 64 bits of the double that equals the float whose 32 bits these are."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        single = builder.bitcast(builder.trunc(args[0], _I32), ir.FloatType())
        return builder.bitcast(builder.fpext(single, ir.DoubleType()), _I64)

    return types.int64(types.int64), generate


@_instruction
def swapped(_: Any, word: Any) -> Any:
    """The eight bytes in the opposite order."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bswap(args[0])

    return types.int64(types.int64), generate


@compiled
def _check(array: Any, at: int, size: int) -> None:
    if at < 0 or at + size > array.shape[0]:
        raise IndexError("access outside of a buffer")


def _byte_at_checked(buffer: Bytes, at: int) -> int:
    _check(buffer, at, 1)
    return int(_byte_at(buffer, at))


def _load64_checked(buffer: Bytes, at: int) -> int:
    _check(buffer, at, 8)
    return int(_load64(buffer, at))


def _special_checked(buffer: Bytes, at: int) -> int:
    _check(buffer, at, 32)
    return int(_special(buffer, at))


def _backslashes_checked(buffer: Bytes, at: int) -> int:
    _check(buffer, at, 32)
    return int(_backslashes(buffer, at))


def _high_checked(buffer: Bytes, at: int) -> int:
    _check(buffer, at, 32)
    return int(_high(buffer, at))


def _differing_checked(left: Bytes, i: int, right: Bytes, j: int) -> int:
    _check(left, i, 32)
    _check(right, j, 32)
    return int(_differing(left, i, right, j))


def _copy32_checked(target: Bytes, i: int, source: Bytes, j: int) -> None:
    _check(target, i, 32)
    _check(source, j, 32)
    _copy32(target, i, source, j)


def _store8_checked(target: Bytes, at: int, value: int) -> None:
    _check(target, at, 1)
    _store8(target, at, value)


def _store32_checked(target: Bytes, at: int, value: int) -> None:
    _check(target, at, 4)
    _store32(target, at, value)


def _store64_checked(target: Bytes, at: int, value: int) -> None:
    _check(target, at, 8)
    _store64(target, at, value)


def _get_checked(array: Int64s, at: int) -> int:
    _check(array, at, 1)
    return int(_get(array, at))


def _put_checked(array: Int64s, at: int, value: int) -> None:
    _check(array, at, 1)
    _put(array, at, value)


def _either(fast: Callable[..., Any], checked: Callable[..., Any]) -> Callable[..., Any]:
    return compiled(checked) if options.checked else fast


byte_at = _either(_byte_at, _byte_at_checked)  # byte_at(buffer, at)
load64 = _either(_load64, _load64_checked)  # 8 bytes, little-endian
special = _either(_special, _special_checked)  # bit k: quote, backslash, control or not ASCII
backslashes = _either(_backslashes, _backslashes_checked)  # bit k: backslash
high = _either(_high, _high_checked)  # bit k: not ASCII
differing = _either(_differing, _differing_checked)  # bit k: left[i + k] != right[j + k]
copy32 = _either(_copy32, _copy32_checked)  # copy32(target, i, source, j)
store8 = _either(_store8, _store8_checked)  # store8(target, at, value): the low 8 bits
store32 = _either(_store32, _store32_checked)
store64 = _either(_store64, _store64_checked)
get = _either(_get, _get_checked)  # get(array, at): element of an int32 or int64 array
put = _either(_put, _put_checked)  # put(array, at, value)
