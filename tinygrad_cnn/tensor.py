"""Tensor: an array, its gradient, and its place in the graph."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, overload

import numpy as np

from . import autograd, engine, metadata, ops
from .compat.missing import not_members
from .conversion import Conversions
from .dtypes import DTYPES, dtype
from .engine import Node, Recorded, leaf, share, wrap
from .engine.dtypes import FLOATING, get_default_dtype
from .functions.arguments import array_of, axis
from .functions.brackets import check_value, index_error, plain_index
from .functions.public import as_method, numpys_names, public
from .hooks import RemovableHandle
from .inplace import overwrite
from .metadata import CPU, Size, strided
from .printing import format_tensor
from .types import Device, Index, Number, Values
from .ufuncs import array_ufunc


class Tensor(Conversions):
    """A NumPy array that records the operations on it.

    `Tensor(2, 3)` is `empty(2, 3)`, and `Tensor([1, 2])` holds these numbers in the default dtype; see
    `FloatTensor`. `tensor(data)` is the usual way to make one.

    >>> x = tc.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()
    __array_ufunc__ = array_ufunc

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        from .creation import legacy  # few programs need it

        made: Any = legacy.new("Tensor", get_default_dtype(), args, kwargs, any_=True)
        if cls is Tensor:
            return made
        new: Any = _rebuild(cls, made.detach()._array, False)
        new._shared = True
        return new

    @numpys_names
    def new(
        self,
        *args: Any,
        device: Device = None,
        size: Sequence[int] | None = None,
        data: Any = None,
        other: Tensor | None = None,
    ) -> Tensor:
        """A Tensor of this dtype: of sizes, or of data. See `FloatTensor`.

        >>> tc.tensor([1, 2]).new([3.5]), tc.tensor([1, 2]).new(2, 3).shape
        (tensor([3]), torch.Size([2, 3]))
        """
        from .creation import legacy

        named = {"device": device, "size": size, "data": data, "other": other}
        kwargs = {name: value for name, value in named.items() if value is not None}
        return legacy.new("new", self._array.dtype, args, kwargs)

    # --- Shape, dtype, device -----------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The size of each axis, as a tuple of integers.

        >>> tc.zeros(2, 3).shape
        torch.Size([2, 3])
        """
        return Size(self._array.shape)

    @property
    def dtype(self) -> dtype:
        """The dtype of the elements.

        >>> tc.zeros(2).dtype
        torch.float32
        """
        return DTYPES[self._array.dtype]

    @property
    def ndim(self) -> int:
        """The number of axes.

        >>> tc.zeros(2, 3).ndim
        2
        """
        return self._array.ndim

    def dim(self) -> int:
        """The number of axes.

        >>> tc.zeros(2, 3).dim()
        2
        """
        return self._array.ndim

    @overload
    def size(self, dim: None = None) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...
    @numpys_names
    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis. IndexError for an axis that does not exist.

        >>> tc.zeros(2, 3).size(), tc.zeros(2, 3).size(-1)
        (torch.Size([2, 3]), 3)
        """
        shape = self._array.shape
        if dim is None:
            return Size(shape)
        inside = type(dim) is int and -len(shape) <= dim < len(shape)
        return shape[dim if inside else axis("size", len(shape), dim)]

    def numel(self) -> int:
        """The number of elements.

        >>> tc.zeros(2, 3).numel()
        6
        """
        return self._array.size

    nelement = numel

    @overload
    def stride(self, dim: None = None) -> tuple[int, ...]: ...
    @overload
    def stride(self, dim: int) -> int: ...
    @numpys_names
    def stride(self, dim: int | None = None) -> Any:
        """The distance in memory, in elements, between neighbours along each axis, or along one.

        IndexError for an axis that does not exist.

        >>> tc.zeros(2, 3).stride(), tc.zeros(2, 3).stride(0)
        ((3, 1), 3)
        """
        strides = tuple([n // self._array.itemsize for n in self._array.strides])
        return strides if dim is None else strides[axis("stride", len(strides), dim)]

    def data_ptr(self) -> int:
        """The address of the first element.

        >>> x = tc.zeros(2, 3)
        >>> x[1].data_ptr() - x.data_ptr()
        12
        """
        return self._array.ctypes.data

    @property
    def nbytes(self) -> int:
        """The size of all elements, in bytes.

        >>> tc.zeros(2, 3).nbytes
        24
        """
        return self._array.nbytes

    @property
    def itemsize(self) -> int:
        """The size of one element, in bytes.

        >>> tc.zeros(2, 3).itemsize
        4
        """
        return self._array.itemsize

    def element_size(self) -> int:
        """The size of one element, in bytes.

        >>> tc.zeros(2, 3).element_size()
        4
        """
        return self._array.itemsize

    @property
    def device(self) -> metadata.device:
        """The CPU: there is no other device.

        >>> tc.zeros(2).device
        device(type='cpu')
        """
        return CPU

    @property
    def layout(self) -> metadata.layout:
        """`torch.strided`: the only layout.

        >>> tc.zeros(2).layout
        torch.strided
        """
        return strided

    is_cuda = is_sparse = False

    def is_floating_point(self) -> bool:
        """Whether the dtype is one of floating point: float16, bfloat16, float32 or float64.

        >>> tc.zeros(2).is_floating_point(), tc.arange(2).is_floating_point()
        (True, False)
        """
        return self._array.dtype.kind in FLOATING

    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __repr__(self) -> str:
        return format_tensor(self._array, self.requires_grad, self.grad_fn)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self._array.ndim else object.__format__(self, spec)

    # --- The graph ------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether the backward pass computes the gradient. Assign it on leaves of floating point.

        RuntimeError for another dtype, and for False on a Tensor that an op made.

        >>> x = tc.ones(2, requires_grad=True)
        >>> x.requires_grad, (2 * x).requires_grad, x.detach().requires_grad
        (True, True, False)
        """
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
        if value and self._array.dtype.kind not in FLOATING:
            raise RuntimeError(
                f"Only Tensors of floating point dtype can require gradients, got {self.dtype}"
            )
        self._node = leaf(self) if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad`. Returns this Tensor.

        RuntimeError for a Tensor that is not of floating point, and for False on one that an op made.

        >>> tc.zeros(2).requires_grad_()
        tensor([0., 0.], requires_grad=True)
        """
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this Tensor.

        >>> x = tc.ones(2, requires_grad=True)
        >>> x.is_leaf, (2 * x).is_leaf
        (True, False)
        """
        return self._node is None or self._node.op is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that made this Tensor; None for a leaf.

        >>> x = tc.ones(2, requires_grad=True)
        >>> (2 * x).grad_fn.name(), x.grad_fn
        ('MulBackward0', None)
        """
        return None if self.is_leaf else self._node

    @property
    def grad(self) -> Tensor | None:
        """The gradient, summed over backward passes; None before the first.

        It can be assigned: None, or a Tensor of the same shape and dtype. RuntimeError for others.
        Warns for a Tensor that gets none: one that an op made, without `retain_grad`.

        >>> x = tc.ones(2, requires_grad=True)
        >>> x.grad
        >>> (3 * x).sum().backward()
        >>> x.grad
        tensor([3., 3.])
        """
        found: Tensor | None = getattr(self, "_grad", None)
        if found is None and not self.is_leaf and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
                "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
                "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor",
                stacklevel=2,
            )
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
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
    def data(self) -> Tensor:
        """A detached Tensor on the same memory. Assigning replaces the array of this Tensor.

        >>> x = tc.ones(2, requires_grad=True)
        >>> x.data
        tensor([1., 1.])
        >>> x.data = tc.zeros(2)
        >>> x
        tensor([0., 0.], requires_grad=True)
        """
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data must be a Tensor, got {type(value).__name__}")
        engine.release(self)
        self._array = value._array
        if self._node is not None and self._node.op is None:
            self._node.shape, self._node.dtype = self._array.shape, self._array.dtype

    @property
    def _version(self) -> int:
        """How often its memory was written in place."""
        return engine.version(self._array)

    def detach(self) -> Tensor:
        """A Tensor on the same memory that requires no grad.

        >>> tc.ones(2, requires_grad=True).detach()
        tensor([1., 1.])
        """
        share(self)
        y: Tensor = wrap(self._array)
        y._shared = True
        return y

    def detach_(self) -> Tensor:
        """Remove this Tensor from its graph, and return it. RuntimeError for a view.

        >>> (2 * tc.ones(2, requires_grad=True)).detach_()
        tensor([2., 2.])
        """
        if hasattr(self, "_base"):
            raise RuntimeError("Can't detach views in-place: use detach()")
        engine.release(self)
        self._node = None
        return self

    def share_memory_(self) -> Tensor:
        """Move this Tensor to memory that processes of `multiprocessing` share. Returns it.

        These get the same memory, by `fork` and by `spawn`: each sees what the others write. Views that
        were made before keep the old memory.

        >>> tc.zeros(2).share_memory_().is_shared()
        True
        """
        from . import sharing  # few programs need it

        if not self.is_shared():
            self.data = wrap(sharing.shared_copy(self._array))
            self._shared = True
        sharing.sent_by_name(type(self))
        return self

    def is_shared(self) -> bool:
        """Whether other processes see the same memory, after `share_memory_`.

        >>> tc.zeros(2).is_shared()
        False
        """
        from . import sharing

        return sharing.memory_of(self._array) is not None

    def retain_grad(self) -> None:
        """Let the backward pass set `.grad` although this is no leaf.

        RuntimeError if it requires no grad.

        >>> x = tc.ones(2, requires_grad=True)
        >>> y = x * 3.0
        >>> y.retain_grad()
        >>> y.sum().backward()
        >>> y.grad
        tensor([1., 1.])
        """
        if self._node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if not self.is_leaf:
            self._node.extra = self._node.extra or {}
            self._node.extra["retain"] = weakref.ref(self)

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad` was called.

        >>> y = 2 * tc.ones(2, requires_grad=True)
        >>> y.retain_grad()
        >>> y.retains_grad
        True
        """
        node = self._node
        return node is not None and "retain" in (node.extra or {})

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` in each backward pass, once the gradient of this Tensor is known.

        A Tensor that the hook returns replaces the gradient. The result is a handle whose `remove()`
        removes the hook. RuntimeError if this Tensor requires no grad.

        >>> x = tc.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda grad: 10 * grad)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        if self._node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        self._node.extra = self._node.extra or {}
        engine.cut(self._node)  # a hook may hold tensors
        return RemovableHandle(self._node.extra.setdefault("hooks", {}), hook)

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Add the gradient of this Tensor to the `.grad` of the leaves that it came from.

        `gradient` is the cotangent to start from; a Tensor of one element needs none, and starts from
        1. `retain_graph` keeps the saved values for another pass. `create_graph` records the graph of
        the gradient, for second derivatives. `inputs` limits the pass to these leaves. An exception
        leaves every `.grad` as it was.

        >>> x = tc.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).backward(tc.tensor([1.0, 10.0]))
        >>> x.grad
        tensor([ 2., 40.])
        """
        autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    # --- Values ---------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> np.ndarray[tuple[int, ...], np.dtype[Any]]:
        """The array, on the same memory.

        RuntimeError for a Tensor that requires grad, unless `force`.

        >>> tc.tensor([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
        """
        if self._node is not None and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        share(self)
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(self.numpy(), dtype, copy=copy)

    def item(self) -> Number:
        """The only element, as a Python number. RuntimeError for a Tensor of more, or of none.

        >>> tc.tensor([[2.5]]).item()
        2.5
        """
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar"
            )
        return self._array.item()

    def tolist(self) -> list[Any]:
        """The elements as nested lists of Python numbers; without axes, a number.

        >>> tc.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
        return self._array.tolist()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            raise RuntimeError(
                f"Boolean value of Tensor with {'more than one' if self._array.size else 'no'} "
                "value is ambiguous"
            )
        return bool(self._array.item())

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def _number(self) -> Number:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

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

    # --- Indexing -------------------------------------------------------------------------------

    def __getitem__(self, index: Index) -> Tensor:
        first, rest = plain_index(index)
        try:
            return ops.getitem(
                self if first is None else ops.getitem(self, index=first), index=rest
            )
        except IndexError as error:
            raise index_error(self._array, index, error) from None

    def __setitem__(self, index: Index, value: Values) -> None:
        if value is None or isinstance(value, str):
            raise TypeError(f"can't assign a {type(value).__name__} to a {self.type()}")
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

    def __iter__(self) -> Iterator[Tensor]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self._array)))

    def __contains__(self, element: Any) -> bool:
        return bool(np.any(self._array == array_of(element)))

    __hash__ = object.__hash__

    # --- Writes to all elements -------------------------------------------------------------------

    @as_method
    @public
    def copy_(self: Tensor, other: Tensor | Number, non_blocking: bool = False) -> Tensor:
        """Overwrite all elements with those of another Tensor, which broadcasts. Returns this Tensor.

        >>> tc.zeros(2, 3).copy_(tc.tensor([1, 2, 3]))
        tensor([[1., 2., 3.],
                [1., 2., 3.]])
        """
        self[...] = other
        return self

    @as_method
    @public(overloads=True)
    def fill_(self: Tensor, value: Tensor | Number) -> Tensor:
        """Overwrite all elements with one value. Returns this Tensor.

        RuntimeError for a value with axes.

        >>> tc.zeros(2).fill_(7)
        tensor([7., 7.])
        """
        if isinstance(value, Recorded) and value._array.ndim:
            raise RuntimeError(
                "fill_ only supports 0-dimension value tensor but got tensor with "
                f"{value._array.ndim} dimensions."
            )
        self[...] = value
        return self

    def zero_(self) -> Tensor:
        """Overwrite all elements with 0. Returns this Tensor.

        >>> tc.ones(2).zero_()
        tensor([0., 0.])
        """
        self[...] = 0
        return self


engine.provide(tensor=Tensor)
not_members(Tensor, "tensor_names.txt")


def _rebuild(cls: Any, array: np.ndarray, requires_grad: bool) -> Any:
    new = object.__new__(cls)
    new._array = array
    new._node = None
    if requires_grad:
        new._node = leaf(new)
    return new
