"""A vector register in code that is being built."""


class Vector:
    """A vector of elements, with + − · / by a vector or a Python number."""

    def __init__(self, code, value):
        self.code, self.value = code, value

    def _with(self, operation, other):
        other = other if isinstance(other, Vector) else self.code.constant(float(other))
        return Vector(self.code, getattr(self.code.builder, operation)(self.value, other.value))

    def __add__(self, other):
        return self._with("fadd", other)

    def __sub__(self, other):
        return self._with("fsub", other)

    def __mul__(self, other):
        return self._with("fmul", other)

    def __truediv__(self, other):
        return self._with("fdiv", other)

    def add_scaled(self, other, factor):
        """self + factor · other, in one rounding where the machine can."""
        return self.code.fma(self.code.constant(factor), other, self)


def fold(operation, vectors):
    """The operation over a power of two of vectors, in pairs: few wait for each other."""
    while len(vectors) > 1:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [operation(a, b) for a, b in pairs]
    return vectors[0]
