"""The elementwise ops of the oracle: a table of functions and their slopes.

Importing this module gives Tensor the methods and operators of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...values import Array
from .tensor import RESULT, Part, Read, Result, Tensor, array_of, make, spread

Slope = tuple[Callable[..., Any], str]  # the slope, and the letters of the values that it reads


def _sigmoid(x: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


# The function, and a slope for each operand. A slope takes the operands and the result y.
TABLE: dict[str, tuple[Callable[..., Any], tuple[Slope, ...]]] = {
    "neg": (np.negative, ((lambda a, y: -1.0, ""),)),
    "sin": (np.sin, ((lambda a, y: np.cos(a), "a"),)),
    "cos": (np.cos, ((lambda a, y: -np.sin(a), "a"),)),
    "exp": (np.exp, ((lambda a, y: y, "y"),)),
    "log": (np.log, ((lambda a, y: 1.0 / a, "a"),)),
    "sqrt": (np.sqrt, ((lambda a, y: 0.5 / y, "y"),)),
    "tanh": (np.tanh, ((lambda a, y: 1.0 - y**2, "y"),)),
    "sigmoid": (_sigmoid, ((lambda a, y: y * (1.0 - y), "y"),)),
    "relu": (lambda a: np.where(a > 0, a, 0.0), ((lambda a, y: a > 0, "y"),)),
    "abs": (np.abs, ((lambda a, y: np.sign(a), "a"),)),
    "add": (np.add, ((lambda a, b, y: 1.0, ""), (lambda a, b, y: 1.0, ""))),
    "sub": (np.subtract, ((lambda a, b, y: 1.0, ""), (lambda a, b, y: -1.0, ""))),
    "mul": (np.multiply, ((lambda a, b, y: b, "b"), (lambda a, b, y: a, "a"))),
    "div": (np.divide, ((lambda a, b, y: 1.0 / b, "b"), (lambda a, b, y: -a / b**2, "ab"))),
    "maximum": (np.maximum, ((lambda a, b, y: a > b, "ab"), (lambda a, b, y: b > a, "ab"))),
    "minimum": (np.minimum, ((lambda a, b, y: a < b, "ab"), (lambda a, b, y: b < a, "ab"))),
}
OPERATORS = {"add": "add", "sub": "sub", "mul": "mul", "div": "truediv"}


def elementwise(
    value: Callable[..., Any],
    slopes: Sequence[Slope],
    operands: Sequence[Tensor | ArrayLike],
    first: Tensor | str,
) -> Result:
    """An elementwise op. A slope that reads `a` reads `first`."""
    arrays = [array_of(x).copy() for x in operands]
    y = np.asarray(value(*arrays))
    last = operands[-1] if isinstance(operands[-1], Tensor) else "a number"
    named = {
        "y": Read(RESULT, y), "a": Read(first, arrays[0], operands[0]),
        "b": Read(last, arrays[-1], operands[-1]), "c": Read("the condition", y),
    }  # fmt: skip

    def part(k: int) -> Part:
        slope, reads = slopes[k]

        def jacobian(*values: Array) -> Array:
            given = dict(zip(reads, values, strict=True))
            each = [given.get(letter, x) for letter, x in zip("ab", arrays, strict=False)]
            return spread(arrays[k].shape, y.shape, slope(*each, given.get("y", y)))

        return Part(operands[k], jacobian, tuple(named[r] for r in reads))

    return Result(y, [part(k) for k in range(len(operands))])


def method(name: str, in_place: bool) -> Callable[..., Tensor]:
    """The method of Tensor for an op of the table, or its in-place form."""
    value, slopes = TABLE[name]

    def run(self: Tensor, *others: Tensor | ArrayLike) -> Tensor:
        if in_place:  # slopes read a copy of the overwritten values
            return self._write(elementwise(value, slopes, (self, *others), "a copy"))
        return make(elementwise(value, slopes, (self, *others), self))

    return run


for _name in TABLE:
    setattr(Tensor, _name, method(_name, False))
    setattr(Tensor, _name + "_", method(_name, True))
for _name, _operator in OPERATORS.items():
    setattr(Tensor, f"__{_operator}__", method(_name, False))
    setattr(Tensor, f"__i{_operator}__", method(_name, True))
