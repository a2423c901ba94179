"""Parameter: a Tensor that modules register and optimizers train."""

from __future__ import annotations

import numpy as np

from ..engine import leaf, wrap
from ..engine.dtypes import FLOATING
from ..tensor import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A Tensor that a `Module` registers when it is assigned to an attribute.

    It shares the memory of the Tensor `data`, and is a leaf. Without `requires_grad` it may have any
    dtype. Raises TypeError for data that is not a Tensor, RuntimeError for a dtype that cannot
    require a gradient.

    >>> tc.nn.Parameter(tc.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = wrap(np.empty(0, np.float32))
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter: wanted a Tensor, got {type(data).__name__}")
        if requires_grad and data._array.dtype.kind not in FLOATING:
            raise RuntimeError(
                "Only Tensors of floating point dtype can require gradients: Parameter got "
                f"{data.dtype}"
            )
        self = object.__new__(cls)
        data = data.detach()
        self._array = data._array
        self._shared = True  # its memory is that of `data`: in-place ops must not replace it
        self._node = leaf(self) if requires_grad else None
        return self

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True):
        pass  # __new__ has made it

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
