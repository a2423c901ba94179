"""Parameter: the kind of Tensor that a Module takes for its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine import leaf, wrap
from ..tensor import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A Tensor that a `Module` lists among its parameters when it becomes an attribute.

    `data` is a Tensor of floating point (of any type where `requires_grad` is False); the Parameter
    shares its memory and is a leaf. Raises TypeError where it is no Tensor, RuntimeError where its
    type cannot require a gradient.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.Parameter(tc.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = wrap(np.empty(0, np.float32))
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter: wanted a Tensor, got {type(data).__name__}")
        if requires_grad and data._array.dtype.kind != "f":
            raise RuntimeError(
                "Only Tensors of floating point dtype can require gradients: Parameter got "
                f"{data._array.dtype}"
            )
        self = object.__new__(cls)
        data = data.detach()
        self._array = data._array
        self._shared = True  # its memory is shared: it must stay where it is
        self._node = leaf(self) if requires_grad else None
        return self

    def __init__(self, data: Any = None, requires_grad: bool = True):
        pass  # made in __new__

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
