"""A naive oracle for whole programs: a small library with PyTorch's API, independent of the engine.

Everything is float64. Each op leaves its Jacobians on the tape as explicit matrices, from a table
of plain derivatives. Backward multiplies them.

Tensors on one memory form a family. A view knows the cells of the base that it shows. A write gives
the base of the family a new node: written cells get their values from the op, the others keep the
old values. After that, each view is read from the base again. So writes and views are right by
construction. It is far too slow for anything but tests.

The tape notes the version of the memory that each derivative reads. So the oracle raises an error
if a graph was freed, or if a value that it needs was changed.
"""

from .elementwise import TABLE
from .functions import cat, maximum, minimum, tensor, where
from .tape import float64, no_grad
from .tensor import Tensor

__all__ = [
    "TABLE",
    "Tensor",
    "cat",
    "float64",
    "maximum",
    "minimum",
    "no_grad",
    "tensor",
    "where",
]
