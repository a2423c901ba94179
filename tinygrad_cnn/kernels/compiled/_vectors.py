"""Vector registers for Numba: code that is written in LLVM's vector types.

LLVM's own vectoriser does well on simple loops and badly on the two that matter here: a product
that keeps a tile of sums in registers, and transforms of many short columns. `emit` turns a Python
function that builds vector code into a function for compiled code, which is called with a zero of
the element type and with addresses (in bytes) and distances (in elements) as integers.
"""

import platform
from contextlib import contextmanager

from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

INT = ir.IntType(64)


def _registers():
    """(bytes of a vector register, how many there are) of this machine."""
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        features = {}
    if features.get("avx512f"):
        return 64, 32
    if features.get("avx2"):
        return 32, 16
    return 16, 32 if platform.machine() in ("aarch64", "arm64") else 16


BYTES, REGISTERS = _registers()


@intrinsic
def get(context, zero, address):
    """The element at an address."""

    def generate(context, builder, signature, arguments):
        kind = context.get_value_type(zero)
        return builder.load(builder.inttoptr(arguments[1], kind.as_pointer()))

    return zero(zero, address), generate


@intrinsic
def get_integer(context, address):
    """The integer of 64 bits at an address."""

    def generate(context, builder, signature, arguments):
        return builder.load(builder.inttoptr(arguments[0], INT.as_pointer()))

    return types.int64(address), generate


@intrinsic
def put(context, value, address):
    """An element to an address."""

    def generate(context, builder, signature, arguments):
        value, address = arguments
        builder.store(value, builder.inttoptr(address, value.type.as_pointer()))
        return context.get_dummy_value()

    return types.void(value, address), generate


@intrinsic
def cast(context, zero, value):
    """A number as an element."""

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
    return types.int64(zero), lambda *_: ir.Constant(INT, 8 * BYTES // zero.bitwidth)


@intrinsic
def move(context, to, of, count):
    """So many bytes from one place to another."""

    def generate(context, builder, signature, arguments):
        to, of, count = arguments
        to, of = (builder.inttoptr(address, cgutils.voidptr_t) for address in (to, of))
        cgutils.raw_memcpy(builder, to, of, count, 1)
        return context.get_dummy_value()

    return types.void(to, of, count), generate


@intrinsic
def clear(context, to, count):
    """So many bytes of zero."""

    def generate(context, builder, signature, arguments):
        to, count = arguments
        cgutils.memset(builder, builder.inttoptr(to, cgutils.voidptr_t), count, 0)
        return context.get_dummy_value()

    return types.void(to, count), generate


def emit(build):
    """A function for compiled code, of a zero and integers: what `build(Code, *integers)` emits."""

    @intrinsic
    def emitted(context, zero, *integers):
        signature = types.void(zero, types.StarArgTuple(integers))

        def generate(context, builder, signature, arguments):
            values = cgutils.unpack_tuple(builder, arguments[1])
            values = [
                context.cast(builder, value, kind, types.int64)
                for value, kind in zip(values, integers, strict=True)
            ]
            build(Code(builder, context.get_value_type(zero)), *values)
            return context.get_dummy_value()

        return signature, generate

    return emitted


class Code:
    """Emits operations on vectors (`Vector`) and on integers, which may be Python's or LLVM's."""

    def __init__(self, builder, element):
        self.builder = builder
        self.element = element
        self.size = 4 if isinstance(element, ir.FloatType) else 8
        self.lanes = BYTES // self.size
        self.type = ir.VectorType(element, self.lanes)
        self.numbers = ir.VectorType(ir.IntType(32), self.lanes)
        self.integers = ir.VectorType(ir.IntType(8 * self.size), self.lanes)  # as wide as elements

    # -- integers --------------------------------------------------------------------------------

    def integer(self, value):
        return value if isinstance(value, ir.Value) else ir.Constant(INT, value)

    def times(self, a, b):
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a in (0, 1) if isinstance(a, int) else False:
            return b if a else 0
        if b in (0, 1) if isinstance(b, int) else False:
            return a if b else 0
        return self.builder.mul(self.integer(a), self.integer(b))

    def at(self, address, *offsets):
        """The address that many elements further."""
        for offset in offsets:
            step = self.times(offset, self.size)
            if isinstance(step, ir.Value) or step:
                address = self.builder.add(address, self.integer(step))
        return address

    def sum(self, a, b):
        """a + b."""
        return self.builder.add(self.integer(a), self.integer(b))

    def load_integer(self, address):
        return self.builder.load(self.pointer(address, INT))

    def less(self, a, b):
        return self.builder.icmp_signed("<", self.integer(a), self.integer(b))

    def all(self, first, *conditions):
        for condition in conditions:
            first = self.builder.and_(first, condition)
        return first

    # -- control ---------------------------------------------------------------------------------

    @contextmanager
    def loop(self, count, *starts):
        """`count` times: gives a list of integers to advance with `next`."""
        builder = self.builder
        before = builder.block
        head = builder.append_basic_block("loop")
        body = builder.append_basic_block("body")
        after = builder.append_basic_block("after")
        builder.branch(head)
        builder.position_at_end(head)
        k = builder.phi(INT)
        k.add_incoming(self.integer(0), before)
        values = [builder.phi(INT) for _ in starts]
        for value, start in zip(values, starts, strict=True):
            value.add_incoming(self.integer(start), before)
        builder.cbranch(self.less(k, count), body, after)
        builder.position_at_end(body)
        loop = _Loop(values)
        yield loop
        k.add_incoming(builder.add(k, self.integer(1)), builder.block)
        for value, following in zip(values, loop.following, strict=True):
            value.add_incoming(following, builder.block)
        builder.branch(head)
        builder.position_at_end(after)

    def when(self, condition):
        return self.builder.if_then(condition)

    def either(self, condition):
        return self.builder.if_else(condition)

    # -- vectors ---------------------------------------------------------------------------------

    def pointer(self, address, kind):
        return self.builder.inttoptr(address, kind.as_pointer())

    def constant(self, value):
        return Vector(self, ir.Constant(self.type, [value] * self.lanes))

    def load(self, address):
        pointer = self.pointer(address, self.type)
        return Vector(self, self.builder.load(pointer, align=self.size))

    def broadcast(self, address):
        return self.fill(self.builder.load(self.pointer(address, self.element)))

    def fill(self, value):
        """A vector of one number."""
        vector = ir.Constant(self.type, ir.Undefined)
        vector = self.builder.insert_element(vector, value, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return Vector(self, self.builder.shuffle_vector(vector, vector, zeros))

    def count(self, value):
        """A vector of an integer, as elements."""
        return self.fill(self.builder.sitofp(self.integer(value), self.element))

    def total(self, vector):
        """A vector of the sum of the lanes: by halves, in a fixed order."""
        return self.fold(vector, Vector.__add__)

    def fold(self, vector, operation):
        """A vector of what the operation, of two vectors, makes of all lanes."""
        distance = self.lanes // 2
        while distance:
            turned = [k ^ distance for k in range(self.lanes)]
            vector = operation(vector, self._shuffle(vector, vector, turned))
            distance //= 2
        return vector

    def larger(self, a, b):
        """The larger of a and b, lane by lane; b where one is NaN."""
        return self.choose(self.builder.fcmp_ordered(">", a.value, b.value), a, b)

    def log(self, vector):
        """A vector of the logarithm of lane 0."""
        value = self.builder.extract_element(vector.value, ir.Constant(ir.IntType(32), 0))
        function = self._function(f"llvm.log.f{8 * self.size}", self.element, [self.element])
        return self.fill(self.builder.call(function, [value]))

    def store_first(self, vector, address):
        """The lane 0."""
        value = self.builder.extract_element(vector.value, ir.Constant(ir.IntType(32), 0))
        self.builder.store(value, self.pointer(address, self.element))

    def store(self, vector, address):
        self.builder.store(vector.value, self.pointer(address, self.type), align=self.size)

    def mask(self, count):
        """Of the lanes below a count."""
        count = self.builder.trunc(self.integer(count), ir.IntType(32))
        lanes = ir.VectorType(ir.IntType(32), self.lanes)
        vector = ir.Constant(lanes, ir.Undefined)
        vector = self.builder.insert_element(vector, count, ir.Constant(ir.IntType(32), 0))
        vector = self.builder.shuffle_vector(vector, vector, ir.Constant(lanes, [0] * self.lanes))
        return self.builder.icmp_signed("<", ir.Constant(lanes, list(range(self.lanes))), vector)

    def load_some(self, address, mask):
        """The lanes of a mask, 0 elsewhere; all lanes where it is None."""
        if mask is None:
            return self.load(address)
        pointer = self.pointer(address, self.type)
        align = ir.IntType(32)
        name = f"llvm.masked.load.v{self.lanes}f{8 * self.size}.p0"
        function = self._function(name, self.type, [pointer.type, align, mask.type, self.type])
        zero = ir.Constant(self.type, [0.0] * self.lanes)
        arguments = [pointer, ir.Constant(align, self.size), mask, zero]
        return Vector(self, self.builder.call(function, arguments))

    def masked(self, n, emit):
        """`emit(mask)` twice: for all lanes, with None, and where there are fewer."""
        with self.either(self.less(n, self.lanes)) as (some, all_of_them):
            with some:
                emit(self.mask(n))
            with all_of_them:
                emit(None)

    def store_some(self, vector, address, mask):
        if mask is None:
            return self.store(vector, address)
        pointer = self.pointer(address, self.type)
        align = ir.IntType(32)
        name = f"llvm.masked.store.v{self.lanes}f{8 * self.size}.p0"
        kinds = [self.type, pointer.type, align, mask.type]
        function = self._function(name, ir.VoidType(), kinds)
        self.builder.call(function, [vector.value, pointer, ir.Constant(align, self.size), mask])

    def add_product(self, a, b, c):
        """a b + c in one rounding where the machine can."""
        name = f"llvm.fmuladd.v{self.lanes}f{8 * self.size}"
        function = self._function(name, self.type, [self.type] * 3)
        return Vector(self, self.builder.call(function, [a.value, b.value, c.value]))

    def copysign(self, a, b):
        """|a| with the sign of b."""
        name = f"llvm.copysign.v{self.lanes}f{8 * self.size}"
        function = self._function(name, self.type, [self.type] * 2)
        return Vector(self, self.builder.call(function, [a.value, b.value]))

    def unary(self, name, a):
        """LLVM's function of that name of a vector."""
        function = self._function(
            f"llvm.{name}.v{self.lanes}f{8 * self.size}", self.type, [self.type]
        )
        return Vector(self, self.builder.call(function, [a.value]))

    def turn(self, rows):
        """As many vectors as lanes, transposed: bit by bit, index of row and of lane swapped."""
        rows, distance = list(rows), self.lanes // 2
        while distance:
            low = [k + self.lanes - distance if k & distance else k for k in range(self.lanes)]
            high = [k + self.lanes if k & distance else k + distance for k in range(self.lanes)]
            for k in range(self.lanes):
                if not k & distance:
                    a, b = rows[k], rows[k + distance]
                    rows[k], rows[k + distance] = (
                        self._shuffle(a, b, low),
                        self._shuffle(a, b, high),
                    )
            distance //= 2
        return rows

    def _shuffle(self, a, b, lanes):
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), lanes)
        return Vector(self, self.builder.shuffle_vector(a.value, b.value, lanes))

    def prefetch(self, address, write=False):
        """Ask for the line of the cache there, to be read or written."""
        number, pointer = ir.IntType(32), self.pointer(address, ir.IntType(8))
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        self.builder.call(function, [pointer, number(int(write)), number(2), number(1)])

    # -- bytes beside elements: the taps of a maximum ---------------------------------------------

    def number(self, value):
        """A vector of 32-bit integers, one for each lane, all the same."""
        lanes = ir.VectorType(ir.IntType(32), self.lanes)
        if not isinstance(value, ir.Value):
            return ir.Constant(lanes, [value] * self.lanes)
        vector = ir.Constant(lanes, ir.Undefined)
        value = self.builder.trunc(value, ir.IntType(32))
        vector = self.builder.insert_element(vector, value, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(vector, vector, ir.Constant(lanes, [0] * self.lanes))

    def load_bytes(self, address, mask):
        """As 32-bit integers."""
        kind = ir.VectorType(ir.IntType(8), self.lanes)
        pointer = self.pointer(address, kind)
        if mask is None:
            value = self.builder.load(pointer, align=1)
        else:
            align = ir.IntType(32)
            name = f"llvm.masked.load.v{self.lanes}i8.p0"
            function = self._function(name, kind, [pointer.type, align, mask.type, kind])
            zero = ir.Constant(kind, [0] * self.lanes)
            arguments = [pointer, ir.Constant(align, 1), mask, zero]
            value = self.builder.call(function, arguments)
        return self.builder.zext(value, ir.VectorType(ir.IntType(32), self.lanes))

    def store_bytes(self, numbers, address, mask):
        kind = ir.VectorType(ir.IntType(8), self.lanes)
        pointer, value = self.pointer(address, kind), self.builder.trunc(numbers, kind)
        if mask is None:
            self.builder.store(value, pointer, align=1)
            return
        align = ir.IntType(32)
        name = f"llvm.masked.store.v{self.lanes}i8.p0"
        function = self._function(name, ir.VoidType(), [kind, pointer.type, align, mask.type])
        self.builder.call(function, [value, pointer, ir.Constant(align, 1), mask])

    def greater(self, a, b):
        """Whether a > b or a alone is NaN, lane by lane."""
        above = self.builder.fcmp_unordered(">", a.value, b.value)
        return self.builder.and_(above, self.builder.fcmp_ordered("ord", b.value, b.value))

    def at_most(self, a, b):
        """Whether a ≤ b, neither of them NaN, lane by lane."""
        return self.builder.fcmp_ordered("<=", a.value, b.value)

    def equal(self, a, b):
        return self.builder.icmp_signed("==", a, b)

    def choose(self, condition, a, b):
        """a where the condition holds, else b."""
        if isinstance(a, Vector):
            return Vector(self, self.builder.select(condition, a.value, b.value))
        return self.builder.select(condition, a, b)

    def one_of(self, condition, a, b):
        """A vector of the number a where the condition holds, else b."""
        return self.choose(condition, self.constant(a), self.constant(b))

    def _function(self, name, result, kinds):
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, kinds), name)

    def variable(self, kind=None):
        """Memory for a vector, which LLVM makes a register."""
        return cgutils.alloca_once(self.builder, kind or self.type)

    def get(self, variable):
        value = self.builder.load(variable)
        return Vector(self, value) if value.type == self.type else value

    def set(self, variable, vector):
        self.builder.store(getattr(vector, "value", vector), variable)


class _Loop:
    def __init__(self, values):
        self.values = values
        self.following = None

    def next(self, *following):
        self.following = following


class Vector:
    """A vector of elements, with + − and * by a number or a vector."""

    def __init__(self, code, value):
        self.code, self.value = code, value

    def _with(self, operation, other):
        other = other if isinstance(other, Vector) else self.code.constant(float(other))
        return Vector(self.code, getattr(self.code.builder, operation)(self.value, other.value))

    def __add__(self, other):
        return self._with("fadd", other)

    def __sub__(self, other):
        return self._with("fsub", other)

    def plus(self, other, factor):
        """self + factor · other in one rounding where the machine can."""
        return self.code.add_product(self.code.constant(factor), other, self)

    def __truediv__(self, other):
        return self._with("fdiv", other)

    def __mul__(self, other):
        return self._with("fmul", other)
