"""Parameter: a Tensor that modules register and optimizers train; and one whose shape is not known yet."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import creation
from ..dtypes import DTYPES, dtype, dtype_of
from ..engine import Recorded, leaf, new_node, wrap
from ..engine.dtypes import FLOATING, get_default_dtype
from ..metadata import Size
from ..tensor import Tensor
from ..types import Device, DType

__all__ = ["Parameter", "UninitializedBuffer", "UninitializedParameter"]


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


# --- Without a shape --------------------------------------------------------------------------------

NO_SHAPE = (
    "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
    "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call "
    "`forward` to initialize the parameters before accessing their attributes."
)
NO_VALUES = (
    "Attempted to use an uninitialized parameter. This error happens when you are using a `LazyModule` "
    "or explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. When using "
    "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling torch "
    "functions"
)


class UninitializedTensorMixin(Tensor):
    """A Tensor with a dtype and without a shape, until `materialize` gives it one.

    Every use of its values is a ValueError.
    """

    __slots__ = ()
    _becomes: type[Tensor] = Tensor

    @property
    def _array(self) -> Any:  # type: ignore[override]  # until the class changes
        raise ValueError(NO_VALUES)

    @property
    def shape(self) -> Size:
        """RuntimeError: there is no shape yet."""
        raise RuntimeError(NO_SHAPE)

    @property
    def dtype(self) -> dtype:
        """The dtype that the values will have."""
        return DTYPES[vars(self)["_dtype"]]

    def is_floating_point(self) -> bool:
        """Whether the dtype is one of floating point."""
        return self.dtype.is_floating_point

    def detach(self) -> Any:
        """This Tensor itself: it has no values to share."""
        return self

    @property
    def data(self) -> Any:
        """This Tensor itself. Assigning takes over the dtype."""
        return self

    @data.setter
    def data(self, value: Tensor) -> None:
        vars(self)["_dtype"] = numpys = value.dtype.dtype
        if self._node is not None:
            self._node.dtype = numpys

    def to(self, dtype: DType) -> Any:  # type: ignore[override]
        """One of another dtype."""
        return UninitializedBuffer(dtype=dtype)

    def materialize(
        self, shape: Sequence[int], device: Device = None, dtype: DType | None = None
    ) -> None:
        """Give it a shape, and values that are not defined. It is an ordinary Tensor from then on."""
        array = creation.empty(
            tuple(shape), device=device, dtype=self.dtype if dtype is None else dtype
        )._array
        del vars(self)["_dtype"]
        self.__class__ = self._becomes  # type: ignore[assignment]
        Recorded._array.__set__(self, array)  # type: ignore[attr-defined]
        if self._node is not None:
            self._node.shape, self._node.dtype = array.shape, array.dtype

    def share_memory_(self) -> Any:
        """RuntimeError: there is no memory yet."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize "
            "the parameters before calling `module.share_memory()`."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, None, self.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, None, self.dtype)


def _without_shape(cls: Any, requires_grad: bool, device: Device, dtype: DType | None) -> Any:
    numpys = get_default_dtype() if dtype is None else dtype_of(cls.__name__, dtype)
    creation.empty(0, device=device)  # the error for another device
    self = object.__new__(cls)
    vars(self)["_dtype"] = numpys
    self._node = new_node(None, (), (0,), numpys, (weakref.ref(self),)) if requires_grad else None
    return self


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter whose shape is not known yet. `materialize(shape)` makes it a `Parameter`.

    The layers `LazyLinear`, `LazyConv2d` ... have such, until their first input. An access to the shape
    is a RuntimeError, any other use a ValueError.

    >>> weight = tc.nn.UninitializedParameter()
    >>> weight
    <UninitializedParameter>
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', torch.Size([2, 3]))
    """

    __slots__ = ()
    _becomes = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: Device = None, dtype: DType | None = None
    ) -> UninitializedParameter:
        return _without_shape(cls, requires_grad, device, dtype)

    def __init__(
        self, requires_grad: bool = True, device: Device = None, dtype: DType | None = None
    ):
        pass  # __new__ has made it


class UninitializedBuffer(UninitializedTensorMixin):
    """A buffer whose shape is not known yet. `materialize(shape)` makes it a Tensor.

    `persistent` has no effect: `register_buffer` says whether the state has the buffer.

    >>> mean = tc.nn.UninitializedBuffer()
    >>> mean.materialize((3,))
    >>> mean.shape
    torch.Size([3])
    """

    __slots__ = ()

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Device = None,
        dtype: DType | None = None,
        persistent: bool = True,
    ) -> UninitializedBuffer:
        return _without_shape(cls, requires_grad, device, dtype)

    def __init__(
        self,
        requires_grad: bool = False,
        device: Device = None,
        dtype: DType | None = None,
        persistent: bool = True,
    ):
        pass  # __new__ has made it


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer has no shape yet.

    >>> is_lazy(tc.nn.UninitializedParameter()), is_lazy(tc.nn.Parameter(tc.ones(2)))
    (True, False)
    """
    return isinstance(param, UninitializedTensorMixin)
