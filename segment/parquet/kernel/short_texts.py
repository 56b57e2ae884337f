"""A short text, padded with zeros, as four integers: one wide load, whatever the text's length.

Written as LLVM instructions, as in `common.kernels.intrinsics`: a load of 32 bytes, a comparison of
each byte's index with the length, and four integers of the bytes that are kept.
"""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from common.kernels.compile import Bytes, compiled, options

LANES = 32
_instruction = cast(Callable[[Callable[..., Any]], Callable[..., Any]], intrinsic)
_I8 = ir.IntType(8)
_I32 = ir.IntType(32)
_I64 = ir.IntType(64)
_BYTES = ir.VectorType(_I8, LANES)
_WORDS = ir.VectorType(_I64, LANES // 8)
_NUMBERS = ir.Constant(_BYTES, [ir.Constant(_I8, lane) for lane in range(LANES)])


@_instruction
def _words_of(_: Any, buffer: Any, at: Any, size: Any) -> Any:
    words = cast(Any, types).UniTuple(types.int64, LANES // 8)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, index, count = args
        data = context.make_array(signature.args[0])(context, builder, array).data
        lanes = builder.load(builder.bitcast(builder.gep(data, [index]), _BYTES.as_pointer()))
        lanes.align = 1
        one = builder.insert_element(
            ir.Constant(_BYTES, ir.Undefined), builder.trunc(count, _I8), ir.Constant(_I32, 0)
        )
        zeros = ir.Constant(ir.VectorType(_I32, LANES), [ir.Constant(_I32, 0)] * LANES)
        all_counts = builder.shuffle_vector(one, ir.Constant(_BYTES, ir.Undefined), zeros)
        kept = builder.icmp_signed("<", _NUMBERS, all_counts)
        nothing = ir.Constant(_BYTES, [ir.Constant(_I8, 0)] * LANES)
        found = builder.bitcast(builder.select(kept, lanes, nothing), _WORDS)
        each = [builder.extract_element(found, ir.Constant(_I32, k)) for k in range(LANES // 8)]
        return context.make_tuple(builder, signature.return_type, each)

    return words(buffer, types.int64, types.int64), generate


def _words_of_checked(buffer: Bytes, at: int, size: int) -> tuple[int, int, int, int]:
    if at < 0 or at + LANES > buffer.shape[0]:
        raise IndexError("access outside of a buffer")
    a, b, c, d = _words_of(buffer, at, size)
    return a, b, c, d


# words_of(buffer, at, size): four 64-bit integers; bytes from `size` (0 to 32) on are 0
words_of = compiled(_words_of_checked) if options.checked else _words_of
