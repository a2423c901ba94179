"""Tensor: an array, its gradient, and its place in the graph."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import autograd, engine, ops
from .engine import Node, leaf, settle, share, wrap
from .engine.dtypes import (
    bool_,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from .functions.arguments import array_of, axis
from .functions.brackets import check_value, index_error, plain_index
from .inplace import overwrite
from .metadata import CPU, Size, channels_last, device, memory_format, target
from .methods import Methods
from .printing import format_tensor

# PyTorch's names for tensors of a type; of others that of the dtype will do
_TYPE_NAMES = {
    "float16": "HalfTensor",
    "float32": "FloatTensor",
    "float64": "DoubleTensor",
    "uint8": "ByteTensor",
    "int8": "CharTensor",
    "int16": "ShortTensor",
    "int32": "IntTensor",
    "int64": "LongTensor",
    "bool": "BoolTensor",
}


def _converted(dtype: np.dtype) -> Callable[..., Any]:
    def method(self: Any, memory_format: Any = None) -> Any:
        return self.to(dtype)

    method.__doc__ = f"As {dtype}."
    return method


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away again."""

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]):
        self._hooks = hooks
        self.id = engine.next_number()
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Tensor(Methods):
    """A NumPy array that records what is computed from it.

    `Tensor(data)` copies into the default dtype; `tensor(data)` is the usual way to make one.

    >>> import tinygrad_cnn as tc
    >>> x = tc.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()
    __array_ufunc__ = None  # NumPy's operators leave `array * tensor` to us

    def __new__(cls, data: Any = ()) -> Any:
        return _rebuild(cls, np.array(array_of(data), get_default_dtype()), False)

    # --- what it is ---

    @property
    def shape(self) -> Size:
        """The sizes of the axes."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> np.dtype:
        """The element type, NumPy's."""
        return self._array.dtype

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return self._array.ndim

    def dim(self) -> int:
        """How many axes there are."""
        return self._array.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis."""
        shape = self._array.shape
        return Size(shape) if dim is None else shape[axis("size", len(shape), dim)]

    def numel(self) -> int:
        """How many elements there are."""
        return self._array.size

    nelement = numel

    def stride(self, dim: int | None = None) -> Any:
        """How many elements lie from one place to the next along each axis, or along one."""
        strides = tuple(n // self._array.itemsize for n in self._array.strides)
        return strides if dim is None else strides[axis("stride", len(strides), dim)]

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._array.ctypes.data

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    @property
    def device(self) -> device:
        """Where it is: the CPU."""
        return CPU

    is_cuda = is_sparse = False

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._array.itemsize

    def is_floating_point(self) -> bool:
        """Whether the dtype is one of floating point."""
        return self._array.dtype.kind == "f"

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __repr__(self) -> str:
        return format_tensor(self._array, self.requires_grad, self.grad_fn)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self._array.ndim else object.__format__(self, spec)

    # --- its place in the graph ---

    @property
    def requires_grad(self) -> bool:
        """Whether backward reaches it. Set it on leaves, of floating point."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value == (self._node is not None):
            return
        if not value and not self.is_leaf:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()"
            )
        if value and self._array.dtype.kind != "f":
            raise RuntimeError(
                f"Only Tensors of floating point dtype can require gradients, got {self.dtype}"
            )
        self._node = leaf(self) if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Set `requires_grad`; returns this tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no op recorded made it."""
        return self._node is None or self._node.op is None

    @property
    def grad_fn(self) -> Node | None:
        """The node that made it, or None for a leaf."""
        return None if self.is_leaf else self._node

    @property
    def grad(self) -> Any:
        """The gradient that backward added up: a Tensor, or None."""
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    "assigned grad expected to be a Tensor or None but got grad of type "
                    f"{type(value).__name__}"
                )
            if value.shape != self.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of "
                    f"size '{list(self.shape)}'. Please ensure that the gradient and the tensor are "
                    "the same size"
                )
            if value.dtype != self.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with "
                    f"dtype '{self.dtype}'. Please ensure that they are the same"
                )
        self._grad = value

    @property
    def data(self) -> Any:
        """A detached Tensor on the same memory; assigning replaces what this tensor holds."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data must be a Tensor, got {type(value).__name__}")
        self._array = value._array
        if self._node is not None and self._node.op is None:
            self._node.shape, self._node.dtype = self.shape, self.dtype

    @property
    def _version(self) -> int:
        """How often its memory was written in place (0 too where no one could tell)."""
        return engine.version(self._array)

    def detach(self) -> Any:
        """A Tensor on the same memory that requires no grad."""
        share(self)
        y = wrap(self._array)
        y._shared = True
        return y

    def detach_(self) -> Any:
        """Cut this tensor off from its graph."""
        if hasattr(self, "_base"):
            raise RuntimeError("Can't detach views in-place: use detach()")
        self._node = None
        return self

    def retain_grad(self) -> None:
        """Ask for `.grad` although this is no leaf."""
        if self._node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not self.is_leaf:
            self._node.extra = self._node.extra or {}
            self._node.extra["retain"] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was asked for."""
        node = self._node
        return node is not None and "retain" in (node.extra or {})

    def register_hook(self, hook: Callable[[Any], Any]) -> RemovableHandle:
        """Call `hook(grad)` when the gradient is known; what it returns, if not None, replaces it."""
        if self._node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        self._node.extra = self._node.extra or {}
        return RemovableHandle(self._node.extra.setdefault("hooks", {}), hook)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor to the `.grad` of the leaves that it came from.

        `gradient` is the cotangent to start from (1 for a scalar); `retain_graph` keeps what was
        saved for another time; `create_graph` records the gradient's own graph; `inputs` limits it
        to these tensors. An exception on the way leaves every `.grad` as it was.
        """
        autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    # --- out of it ---

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The array itself, on the same memory."""
        if self._node is not None and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        share(self)
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype, copy=copy)

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """The elements, as nested lists of Python numbers."""
        return self._array.tolist()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'more than one' if self._array.size else 'no'} "
                "value is ambiguous"
            )
        return bool(self._array.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._array.size != 1 or self._array.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment"
            )
        new = _rebuild(type(self), self._array.copy(), self.requires_grad)
        memo[id(self)] = new
        if self.grad is not None:
            new._grad = self.grad.__deepcopy__(memo)
        return new

    def __reduce_ex__(self, protocol: Any) -> Any:
        if not self.is_leaf:
            raise RuntimeError("a Tensor that is part of a graph cannot be pickled: detach() it")
        return _rebuild, (type(self), self._array, self.requires_grad)

    # --- types and memory ---

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """In another dtype (or that of another tensor); the only device is the CPU."""
        dtype, copy = target("to", args, kwargs)
        if dtype is None or dtype == self._array.dtype:
            return ops.clone(self) if copy else self
        if dtype.kind != "f":
            return wrap(self._array.astype(dtype))  # which no gradient passes
        return ops.cast(self, dtype=dtype)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """In another dtype; without one, the name of this one."""
        if dtype is None:
            return f"torch.{_TYPE_NAMES.get(self._array.dtype.name, self._array.dtype)}"
        if isinstance(dtype, str):
            names = {f"torch.{text}": name for name, text in _TYPE_NAMES.items()}
            if dtype not in names:
                raise ValueError(f"invalid type: '{dtype}'")
            dtype = names[dtype]
        return self.to(np.dtype(dtype))

    def type_as(self, other: Tensor) -> Any:
        """In the dtype of another."""
        return self.to(other._array.dtype)

    double, half, long = _converted(float64), _converted(float16), _converted(int64)
    short, char, byte = _converted(int16), _converted(int8), _converted(uint8)
    float, int, bool = _converted(float32), _converted(int32), _converted(bool_)

    def cpu(self) -> Any:
        """Itself: there is no other device."""
        return self

    def cuda(self, device: Any = None, non_blocking: Any = False) -> Any:
        """RuntimeError: there is only the CPU."""
        return self.to("cuda")

    def pin_memory(self, device: Any = None) -> Any:
        """Itself: there is no device to copy to."""
        return self

    def contiguous(self, memory_format: memory_format | None = None) -> Any:
        """Itself, or a copy in row-major order where it is a view in another one."""
        settle(self)
        return self if self._array.flags.c_contiguous else wrap_copy(self)

    def is_contiguous(self, memory_format: memory_format | None = None) -> Any:
        """Whether a view of any shape can be taken of it; or whether channels come last in memory."""
        if memory_format is channels_last:
            return self._array.ndim == 4 and self._array.transpose(0, 2, 3, 1).flags.c_contiguous
        settle(self)
        return self._array.flags.c_contiguous

    # --- indexing ---

    def __getitem__(self, index: Any) -> Any:
        first, rest = plain_index(index)
        try:
            return ops.getitem(
                self if first is None else ops.getitem(self, index=first), index=rest
            )
        except IndexError as error:
            raise index_error(self._array, index, error) from None

    def __setitem__(self, index: Any, value: Any) -> None:
        first, rest = plain_index(index)
        target = self
        try:
            if first is not None:  # a view
                target = ops.getitem(self, index=first)
            part = target._array[rest].shape
        except IndexError as error:
            raise index_error(self._array, index, error) from None
        check_value(np.shape(array_of(value)), part, rest)
        overwrite(target, value, index=rest)

    def __iter__(self) -> Iterator[Any]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self._array)))

    def __contains__(self, element: Any) -> Any:
        return bool(np.any(self._array == array_of(element)))

    __hash__ = object.__hash__

    # --- all of it at once ---

    def copy_(self, other: Any) -> Any:
        """Take over the values of another, broadcast and converted."""
        self[...] = other
        return self

    def fill_(self, value: Any) -> Any:
        """Make every element `value`."""
        self[...] = value
        return self

    def zero_(self) -> Any:
        """Make every element 0."""
        self[...] = 0
        return self


engine.provide(tensor=Tensor)


def wrap_copy(x: Tensor) -> Any:
    """A copy in row-major order."""
    y = ops.clone(x)
    settle(y)
    return y


def _rebuild(cls: Any, array: np.ndarray, requires_grad: bool) -> Any:
    new = object.__new__(cls)
    new._array = array
    new._node = None
    if requires_grad:
        new._node = leaf(new)
    return new
