"""Tensor: an array, its gradient, and its place in the graph."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import functions, graph, ops
from .dtypes import bool_, float16, float32, float64, get_default_dtype, int32, int64
from .graph import Node, Recorded, leaf, wrap
from .inplace import in_place
from .printing import format_tensor
from .views import settle, share


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away again."""

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]):
        self._hooks = hooks
        self.id = graph.next_number()
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Tensor(Recorded):
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
        return _rebuild(cls, np.array(functions.array_of(data), get_default_dtype()), False)

    # --- what it is ---

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self._array.shape

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
        return shape if dim is None else shape[functions.axis("size", len(shape), dim)]

    def numel(self) -> int:
        """How many elements there are."""
        return self._array.size

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
        return format(self.item(), spec) if spec and self._array.size == 1 else repr(self)

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
                raise TypeError(f"grad must be a Tensor or None, got {type(value).__name__}")
            if value.shape != self.shape or value.dtype != self.dtype:
                raise RuntimeError(
                    f"assigned grad has data of shape {value.shape} and dtype {value.dtype}: "
                    f"wanted {self.shape}, {self.dtype}"
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
        entry = graph.written.get(id(graph.owner(self._array)))
        return entry[1] if entry else 0

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
        from .autograd import backward

        backward(self, gradient, retain_graph, create_graph, inputs)

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
        dtype, copy = _target("to", args, kwargs)
        if dtype is None or dtype == self._array.dtype:
            return ops.clone(self) if copy else self
        return ops.cast(self, dtype=dtype)

    def type(self, dtype: Any = None) -> Any:
        """In another dtype; without one, the name of this one."""
        return f"torch.{self.dtype}" if dtype is None else self.to(dtype)

    def float(self) -> Any:
        """As float32."""
        return self.to(float32)

    def double(self) -> Any:
        """As float64."""
        return self.to(float64)

    def half(self) -> Any:
        """As float16."""
        return self.to(float16)

    def long(self) -> Any:
        """As int64."""
        return self.to(int64)

    def int(self) -> Any:
        """As int32."""
        return self.to(int32)

    def bool(self) -> Any:
        """Whether each element is not 0."""
        return self.to(bool_)

    def cpu(self) -> Any:
        """Itself: there is no other device."""
        return self

    def contiguous(self) -> Any:
        """Itself, or a copy in row-major order where it is a view in another one."""
        settle(self)
        return self if self._array.flags.c_contiguous else wrap_copy(self)

    def is_contiguous(self) -> Any:
        """Whether a view of any shape can be taken of it."""
        settle(self)
        return self._array.flags.c_contiguous

    # --- indexing ---

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, index=plain_index(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        index = plain_index(index)
        part = self._array[index].shape
        shape = np.shape(functions.array_of(value))
        lead = len(shape) - len(part)
        if any(n != 1 for n in shape[: max(lead, 0)]) or any(
            n not in (1, m) for n, m in zip(shape[::-1], part[::-1], strict=False)
        ):
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(shape)} cannot be broadcast to "
                f"indexing result of shape {list(part)}"
            )
        _setitem(self, value, index=index)

    def __iter__(self) -> Iterator[Any]:
        if not self._array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self._array)))

    def __contains__(self, element: Any) -> Any:
        return bool(np.any(self._array == functions.array_of(element)))

    __hash__ = object.__hash__

    # --- arithmetic ---

    __add__ = __radd__ = ops.add
    __mul__ = __rmul__ = ops.mul
    __sub__ = ops.sub
    __truediv__ = ops.div
    __pow__ = ops.pow
    __neg__ = neg = negative = ops.neg
    __abs__ = abs = absolute = ops.abs
    __matmul__ = matmul = functions.matmul

    def __rsub__(self, other: Any) -> Any:
        return ops.sub(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return ops.div(other, self)

    def __rpow__(self, other: Any) -> Any:
        return ops.pow(other, self)

    def __pos__(self) -> Any:
        return self

    def __invert__(self) -> Any:
        return wrap(~self._array)

    def __and__(self, other: Any) -> Any:
        return wrap(self._array & functions.array_of(other))

    def __or__(self, other: Any) -> Any:
        return wrap(self._array | functions.array_of(other))

    def __xor__(self, other: Any) -> Any:
        return wrap(self._array ^ functions.array_of(other))

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    __eq__ = eq = functions.eq
    __ne__ = ne = functions.ne
    __lt__ = lt = functions.lt
    __le__ = le = functions.le
    __gt__ = gt = functions.gt
    __ge__ = ge = functions.ge

    add, sub, mul, div, pow = functions.add, functions.sub, ops.mul, ops.div, ops.pow
    exp, log, sqrt, sin, cos = ops.exp, ops.log, ops.sqrt, ops.sin, ops.cos
    tanh, sigmoid, relu, sign = ops.tanh, ops.sigmoid, ops.relu, ops.sign
    rsqrt, square = functions.rsqrt, functions.square
    clamp, maximum, minimum = functions.clamp, ops.maximum, ops.minimum
    isnan, isinf, isfinite = functions.isnan, functions.isinf, functions.isfinite
    logical_not = functions.logical_not
    clone = ops.clone

    sum, mean, var, std = functions.sum, functions.mean, functions.var, functions.std
    max, min, amax, amin = functions.max, functions.min, functions.amax, functions.amin
    argmax, argmin = functions.argmax, functions.argmin
    all, any = functions.all, functions.any
    logsumexp = functions.logsumexp
    softmax, log_softmax = functions.softmax, functions.log_softmax

    reshape, view, flatten = functions.reshape, functions.view, functions.flatten
    squeeze, unsqueeze = functions.squeeze, functions.unsqueeze
    permute, transpose, t = functions.permute, functions.transpose, functions.t
    swapaxes = functions.transpose
    expand, gather = functions.expand, functions.gather
    mm = bmm = functions.matmul
    allclose, equal = functions.allclose, functions.equal

    T = property(functions.t, doc="The transpose of a matrix.")

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return self.transpose(-1, -2)

    def expand_as(self, other: Any) -> Any:
        """Expanded to the shape of another."""
        return self.expand(other.shape)

    def view_as(self, other: Any) -> Any:
        """As a view in the shape of another."""
        return self.view(other.shape)

    def where(self, condition: Any, other: Any) -> Any:
        """This where the condition holds, else other."""
        return functions.where(condition, self, other)

    # --- in place ---

    __iadd__ = in_place(ops.add, np.add)
    __isub__ = in_place(ops.sub, np.subtract)
    __imul__ = mul_ = in_place(ops.mul, np.multiply)
    __itruediv__ = div_ = in_place(ops.div, np.divide, floating=True)
    __ipow__ = pow_ = in_place(ops.pow)
    exp_, sqrt_, tanh_ = in_place(ops.exp), in_place(ops.sqrt), in_place(ops.tanh)
    sigmoid_, relu_, neg_ = in_place(ops.sigmoid), in_place(ops.relu), in_place(ops.neg)
    abs_ = in_place(ops.abs)
    _clamp_ = in_place(ops.clamp)

    def add_(self, other: Any, *, alpha: Any = 1) -> Any:
        """this += alpha · other."""
        return self.__iadd__(other if alpha == 1 else ops.mul(other, alpha))

    def sub_(self, other: Any, *, alpha: Any = 1) -> Any:
        """this −= alpha · other."""
        return self.__isub__(other if alpha == 1 else ops.mul(other, alpha))

    def clamp_(self, min: Any = None, max: Any = None) -> Any:
        """Kept between two numbers, in place."""
        return self._clamp_(min=min, max=max)

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


_setitem = in_place(ops.setitem, lambda x, v, *, index, out, casting: x.__setitem__(index, v))
graph.new_tensor = functools.partial(object.__new__, Tensor)


def plain_index(index: Any) -> Any:
    """An index as NumPy takes it; a basic one ends in `...`, so that even one element is a view."""
    items = index if isinstance(index, tuple) else (index,)
    plain = tuple(
        functions.array_of(i) if not isinstance(i, list) else np.asarray(i) for i in items
    )
    plain = tuple(
        int(i) if isinstance(i, np.ndarray) and not i.ndim and i.dtype.kind in "iu" else i
        for i in plain
    )
    if ops.shape.is_basic(plain) and not any(i is Ellipsis for i in plain):
        plain = (*plain, ...)
    return plain


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


def _target(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, bool]:
    """The dtype (or None) and `copy` of the arguments of `to`."""
    copy = bool(kwargs.pop("copy", False))
    kwargs.pop("non_blocking", None), kwargs.pop("memory_format", None)
    dtype = None
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            dtype = value.dtype
        elif isinstance(value, str):
            if value.split(":")[0] != "cpu":
                raise RuntimeError(f"{name}: device {value!r} is not there: the only one is 'cpu'")
        elif value is not None and not isinstance(value, bool):
            dtype = np.dtype(value)
    return dtype, copy
