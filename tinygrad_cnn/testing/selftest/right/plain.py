"""Functions that are easy to check, for mistakes that need no more."""

from __future__ import annotations

import numpy as np

from ..case import elementwise, right
from ..draws import both_sides, matrices, normal, together, uniform

FAMILY = "plain"

SQUARE = elementwise("plain x²", FAMILY, "", lambda x: x * x, lambda x: 2 * x, normal())
TANH = elementwise(
    "plain tanh x", FAMILY, "", lambda x: np.tanh(x), lambda x: 1 / np.cosh(x) ** 2, normal()
)
LOG = elementwise("plain log x", FAMILY, "", lambda x: np.log(x), lambda x: 1 / x, uniform(0.5, 2))
SQRT = elementwise(
    "plain √x", FAMILY, "", lambda x: np.sqrt(x), lambda x: 0.5 / np.sqrt(x), uniform(0.5, 2)
)
MULTIPLY = right(
    "plain a b", FAMILY, "", lambda a, b: a * b, lambda xs, gs: (gs[0] * xs[1], gs[0] * xs[0]),
    normal(count=2),
)  # fmt: skip
DIVIDE = right(
    "plain a / b", FAMILY, "", lambda a, b: a / b,
    lambda xs, gs: (gs[0] / xs[1], -gs[0] * xs[0] / (xs[1] * xs[1])),
    together(normal(shape=(3, 2)), both_sides(1, 2, shape=(3, 2))),
)  # fmt: skip
MATMUL = right(
    "plain a @ b", FAMILY, "", lambda a, b: a @ b,
    lambda xs, gs: (gs[0] @ xs[1].swapaxes(0, 1), xs[0].swapaxes(0, 1) @ gs[0]),
    matrices("ij", "jk"),
)  # fmt: skip
