"""Elements and memory in compiled code: what Numba functions of addresses use.

A function takes `zero`, a zero of the element type, where it needs to know that type. Addresses are
integers, in bytes.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

from .machine import VECTOR_BYTES

INT = ir.IntType(64)


@intrinsic
def get(context, zero, address):
    """The element at an address."""

    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(zero)
        return builder.load(builder.inttoptr(arguments[1], kind.as_pointer()))

    return zero(zero, address), generate


@intrinsic
def get_integer(context, address):
    """The 64-bit integer at an address."""

    def generate(context, builder, signature, arguments):
        return builder.load(builder.inttoptr(arguments[0], INT.as_pointer()))

    return types.int64(address), generate


@intrinsic
def put(context, value, address):
    """Store an element at an address."""

    def generate(context, builder, signature, arguments):
        value, address = arguments
        builder.store(value, builder.inttoptr(address, value.type.as_pointer()))
        return context.get_dummy_value()

    return types.void(value, address), generate


@intrinsic
def cast(context, zero, value):
    """A number converted to the element type."""

    def generate(context, builder, signature, arguments):
        return context.cast(builder, arguments[1], value, zero)

    return zero(zero, value), generate


@intrinsic
def size_of(context, zero):
    """Bytes of an element."""
    return types.int64(zero), lambda *_: ir.Constant(INT, zero.bitwidth // 8)


@intrinsic
def lanes_of(context, zero):
    """Elements of a vector."""
    return types.int64(zero), lambda *_: ir.Constant(INT, 8 * VECTOR_BYTES // zero.bitwidth)


@intrinsic
def move(context, to, of, count):
    """Copy `count` bytes."""

    def generate(context, builder, signature, arguments):
        to, of, count = arguments
        to, of = (builder.inttoptr(address, cgutils.voidptr_t) for address in (to, of))
        cgutils.raw_memcpy(builder, to, of, count, 1)
        return context.get_dummy_value()

    return types.void(to, of, count), generate


@intrinsic
def clear(context, to, count):
    """Set `count` bytes to zero."""

    def generate(context, builder, signature, arguments):
        to, count = arguments
        cgutils.memset(builder, builder.inttoptr(to, cgutils.voidptr_t), count, 0)
        return context.get_dummy_value()

    return types.void(to, count), generate
