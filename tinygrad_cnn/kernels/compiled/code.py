"""Code written in LLVM's vector types, for use inside Numba functions.

LLVM's own vectorizer does well on simple loops and badly on the two that matter here: a product
that keeps a tile of sums in registers, and transforms of many short columns. `emit` turns a
Python function that builds vector code into a function for compiled code.
"""

from contextlib import contextmanager

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.extending import intrinsic

from .machine import VECTOR_BYTES
from .scalars import INT
from .vector import Vector

BYTE, SHORT_INT = ir.IntType(8), ir.IntType(32)


def emit(build):
    """A function for compiled code: of a zero of the element type and integers.

    Calling it emits what `build(code, *integers)` builds, with a `Code` for that element type. The
    integers are addresses in bytes, distances in elements, and counts.
    """

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
        self.lanes = VECTOR_BYTES // self.size
        self.type = ir.VectorType(element, self.lanes)
        self.numbers = ir.VectorType(SHORT_INT, self.lanes)  # an integer for each lane
        self.integers = ir.VectorType(ir.IntType(8 * self.size), self.lanes)  # as wide as elements

    # --- Integers and addresses -----------------------------------------------------------------

    def integer(self, value):
        return value if isinstance(value, ir.Value) else ir.Constant(INT, value)

    def times(self, a, b):
        """a · b, without an instruction where one of them is 0 or 1."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a in (0, 1) if isinstance(a, int) else False:
            return b if a else 0
        if b in (0, 1) if isinstance(b, int) else False:
            return a if b else 0
        return self.builder.mul(self.integer(a), self.integer(b))

    def plus(self, a, b):
        return self.builder.add(self.integer(a), self.integer(b))

    def minus(self, a, b):
        return self.builder.sub(self.integer(a), self.integer(b))

    def divided(self, a, number):
        """(a // number, a % number) for a ≥ 0 and a Python number."""
        number = self.integer(number)
        return self.builder.udiv(a, number), self.builder.urem(a, number)

    def bytes_of(self, count):
        """The bytes of that many elements."""
        return self.times(count, self.size)

    def at(self, address, *offsets):
        """The address that many elements further."""
        for offset in offsets:
            step = self.bytes_of(offset)
            if isinstance(step, ir.Value) or step:
                address = self.plus(address, step)
        return address

    def load_integer(self, address):
        return self.builder.load(self.pointer(address, INT))

    def less(self, a, b):
        return self.builder.icmp_signed("<", self.integer(a), self.integer(b))

    def same(self, a, b):
        return self.builder.icmp_signed("==", self.integer(a), self.integer(b))

    def all(self, first, *conditions):
        for condition in conditions:
            first = self.builder.and_(first, condition)
        return first

    # --- Control flow ---------------------------------------------------------------------------

    @contextmanager
    def loop(self, count, *walks):
        """A loop of `count` rounds. Yields an integer for each walk, which is (start, step).

        Steps of addresses are in bytes. After the loop, the integers are one step behind the last
        round's.
        """
        builder = self.builder
        before = builder.block
        head = builder.append_basic_block("loop")
        body = builder.append_basic_block("body")
        after = builder.append_basic_block("after")
        walks = [(self.integer(start), self.integer(step)) for start, step in ((0, 1), *walks)]
        builder.branch(head)
        builder.position_at_end(head)
        values = [builder.phi(INT) for _ in walks]
        for value, (start, _) in zip(values, walks, strict=True):
            value.add_incoming(start, before)
        builder.cbranch(self.less(values[0], count), body, after)
        builder.position_at_end(body)
        yield values[1:]
        for value, (_, step) in zip(values, walks, strict=True):
            value.add_incoming(builder.add(value, step), builder.block)
        builder.branch(head)
        builder.position_at_end(after)

    @contextmanager
    def grid(self, rows, columns, *walks):
        """Two nested loops. A walk is (start, step of a row, step of a column)."""
        with self.loop(rows, *((start, down) for start, down, _ in walks)) as firsts:
            along = [(first, step) for first, (_, _, step) in zip(firsts, walks, strict=True)]
            with self.loop(columns, *along) as values:
                yield values

    def when(self, condition):
        return self.builder.if_then(condition)

    def either(self, condition):
        """Yields two contexts: for code where the condition holds, and where it does not."""
        return self.builder.if_else(condition)

    def masked(self, n, build):
        """`build(None)` if all lanes of a vector count, else `build(mask)` for the first n."""
        with self.either(self.less(n, self.lanes)) as (some, all_of_them):
            with some:
                build(self.mask(n))
            with all_of_them:
                build(None)

    # --- Vectors --------------------------------------------------------------------------------

    def pointer(self, address, kind):
        return self.builder.inttoptr(address, kind.as_pointer())

    def constant(self, value):
        """A vector of one Python number."""
        return Vector(self, ir.Constant(self.type, [value] * self.lanes))

    def splat(self, value):
        """A vector of one element."""
        return Vector(self, self._splat(value, self.type))

    def splat_integer(self, value):
        """A vector of one integer, converted to elements."""
        return self.splat(self.builder.sitofp(self.integer(value), self.element))

    def splat_at(self, address):
        """A vector of the element at an address."""
        return self.splat(self.builder.load(self.pointer(address, self.element)))

    def _splat(self, value, kind):
        vector = self.builder.insert_element(
            ir.Constant(kind, ir.Undefined), value, ir.Constant(SHORT_INT, 0)
        )
        return self.builder.shuffle_vector(
            vector, vector, ir.Constant(self.numbers, [0] * self.lanes)
        )

    def mask(self, count):
        """The lanes below a count."""
        count = self.builder.trunc(self.integer(count), SHORT_INT)
        lanes = ir.Constant(self.numbers, list(range(self.lanes)))
        return self.builder.icmp_signed("<", lanes, self._splat(count, self.numbers))

    def load(self, address, mask=None):
        """The vector at an address; with a mask only its lanes, 0 elsewhere."""
        pointer = self.pointer(address, self.type)
        if mask is None:
            return Vector(self, self.builder.load(pointer, align=self.size))
        zeros = ir.Constant(self.type, [0.0] * self.lanes)
        return Vector(self, self._masked_load(pointer, self.size, mask, zeros))

    def store(self, vector, address, mask=None):
        """Store a vector; with a mask only its lanes."""
        pointer = self.pointer(address, self.type)
        if mask is None:
            self.builder.store(vector.value, pointer, align=self.size)
        else:
            self._masked_store(vector.value, pointer, self.size, mask)

    def _masked_load(self, pointer, align, mask, otherwise):
        align, kind = ir.Constant(SHORT_INT, align), otherwise.type
        kinds = [pointer.type, align.type, mask.type, kind]
        function = self._function(f"llvm.masked.load.{self._suffix(kind)}.p0", kind, kinds)
        return self.builder.call(function, [pointer, align, mask, otherwise])

    def _masked_store(self, value, pointer, align, mask):
        align, kind = ir.Constant(SHORT_INT, align), value.type
        kinds = [kind, pointer.type, align.type, mask.type]
        name = f"llvm.masked.store.{self._suffix(kind)}.p0"
        function = self._function(name, ir.VoidType(), kinds)
        self.builder.call(function, [value, pointer, align, mask])

    def _suffix(self, kind):
        """The name of a vector type in LLVM's intrinsics."""
        return f"v{self.lanes}" + ("i8" if kind.element == BYTE else f"f{8 * self.size}")

    def store_first(self, vector, address):
        """Store lane 0 alone."""
        self.builder.store(self.first_lane(vector), self.pointer(address, self.element))

    def first_lane(self, vector):
        return self.builder.extract_element(vector.value, ir.Constant(SHORT_INT, 0))

    # --- Arithmetic -----------------------------------------------------------------------------

    def fma(self, a, b, c):
        """a b + c, in one rounding where the machine can."""
        return self.call("fmuladd", a, b, c)

    def call(self, name, *vectors):
        """LLVM's function of that name, of vectors."""
        kinds = [self.type] * len(vectors)
        function = self._function(f"llvm.{name}.{self._suffix(self.type)}", self.type, kinds)
        return Vector(self, self.builder.call(function, [v.value for v in vectors]))

    def copysign(self, a, b):
        """|a| with the sign of b."""
        return self.call("copysign", a, b)

    def log_of_first_lane(self, vector):
        """A vector of the logarithm of lane 0."""
        function = self._function(f"llvm.log.f{8 * self.size}", self.element, [self.element])
        return self.splat(self.builder.call(function, [self.first_lane(vector)]))

    def sum_of_lanes(self, vector):
        """A vector of the sum of the lanes: by halves, in a fixed order."""
        return self.reduce_lanes(vector, Vector.__add__)

    def reduce_lanes(self, vector, operation):
        """A vector with the result of an operation over the lanes in all lanes."""
        distance = self.lanes // 2
        while distance:
            swapped = [k ^ distance for k in range(self.lanes)]
            vector = operation(vector, self._shuffle(vector, vector, swapped))
            distance //= 2
        return vector

    def transpose(self, rows):
        """As many vectors as lanes, transposed: bit by bit, index of row and of lane swapped."""
        rows, distance = list(rows), self.lanes // 2
        while distance:
            low = [k + self.lanes - distance if k & distance else k for k in range(self.lanes)]
            high = [k + self.lanes if k & distance else k + distance for k in range(self.lanes)]
            for k in range(self.lanes):
                if not k & distance:
                    a, b = rows[k], rows[k + distance]
                    rows[k] = self._shuffle(a, b, low)
                    rows[k + distance] = self._shuffle(a, b, high)
            distance //= 2
        return rows

    def _shuffle(self, a, b, lanes):
        lanes = ir.Constant(self.numbers, lanes)
        return Vector(self, self.builder.shuffle_vector(a.value, b.value, lanes))

    # --- Comparison and choice ------------------------------------------------------------------

    def less_equal(self, a, b):
        """Whether a ≤ b, neither of them NaN, lane by lane."""
        return self.builder.fcmp_ordered("<=", a.value, b.value)

    def greater_or_nan(self, a, b):
        """Whether a > b, or a alone is NaN, lane by lane."""
        above = self.builder.fcmp_unordered(">", a.value, b.value)
        return self.builder.and_(above, self.builder.fcmp_ordered("ord", b.value, b.value))

    def maximum(self, a, b):
        """The larger of a and b, lane by lane; b where one of them is NaN."""
        return self.select(self.builder.fcmp_ordered(">", a.value, b.value), a, b)

    def select(self, condition, a, b):
        """a where the condition holds, else b."""
        if isinstance(a, Vector):
            return Vector(self, self.builder.select(condition, a.value, b.value))
        return self.builder.select(condition, a, b)

    def select_constants(self, condition, a, b):
        """A vector of the Python number a where the condition holds, else of b."""
        return self.select(condition, self.constant(a), self.constant(b))

    # --- Bytes beside elements: the taps of a maximum, and truths ---------------------------------

    def number(self, value):
        """A vector of one 32-bit integer."""
        if not isinstance(value, ir.Value):
            return ir.Constant(self.numbers, [value] * self.lanes)
        return self._splat(self.builder.trunc(value, SHORT_INT), self.numbers)

    def equal(self, a, b):
        """Whether two vectors of integers are equal, lane by lane."""
        return self.builder.icmp_signed("==", a, b)

    def load_bytes(self, address, mask):
        """A byte for each lane, as 32-bit integers."""
        kind = ir.VectorType(BYTE, self.lanes)
        pointer = self.pointer(address, kind)
        if mask is None:
            value = self.builder.load(pointer, align=1)
        else:
            zeros = ir.Constant(kind, [0] * self.lanes)
            value = self._masked_load(pointer, 1, mask, zeros)
        return self.builder.zext(value, self.numbers)

    def store_bytes(self, numbers, address, mask):
        kind = ir.VectorType(BYTE, self.lanes)
        pointer, value = self.pointer(address, kind), self.builder.trunc(numbers, kind)
        if mask is None:
            self.builder.store(value, pointer, align=1)
        else:
            self._masked_store(value, pointer, 1, mask)

    # --- Variables and hints --------------------------------------------------------------------

    def variable(self, start=None, kind=None):
        """Memory for a vector, which LLVM makes a register."""
        variable = cgutils.alloca_once(self.builder, kind or self.type)
        if start is not None:
            self.set(variable, start)
        return variable

    def get(self, variable):
        value = self.builder.load(variable)
        return Vector(self, value) if value.type == self.type else value

    def set(self, variable, vector):
        self.builder.store(getattr(vector, "value", vector), variable)

    def accumulate(self, variable, a, b=None):
        """variable += a, or with b += a b."""
        old = self.get(variable)
        self.set(variable, old + a if b is None else self.fma(a, b, old))

    def prefetch(self, address, write=False):
        """Ask for the cache line at an address, to read or to write it."""
        pointer = self.pointer(address, BYTE)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, SHORT_INT, SHORT_INT, SHORT_INT])
        function = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0")
        self.builder.call(function, [pointer, SHORT_INT(int(write)), SHORT_INT(2), SHORT_INT(1)])

    def _function(self, name, result, kinds):
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, kinds), name)
