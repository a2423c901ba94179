"""The methods of Tensor that are functions, operators and in-place forms, in tables of names.

Such a method is the public function of its name, with the Tensor itself for the first parameter.
`methods.pyi` shows their types; `python -m tests.typing.stubs` writes it.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from inspect import Parameter, Signature
from types import FunctionType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from . import functions as f, ops
from .creation import draws, draws_in_place, new
from .engine import Recorded
from .engine.dtypes import FLOATING
from .functions import shape_methods
from .functions.arguments import scaled
from .functions.comparison import combine_bits, compare
from .functions.products import multiplied
from .functions.public import as_method, in_place_doc, numpys_names, public
from .functions.reshaping import transposed_matrix
from .inplace import composed, in_place
from .types import DType, Ints, Number

if TYPE_CHECKING:
    from .tensor import Tensor

FUNCTIONS = """
    abs absolute acos acosh arccos arcsin arctan asin asinh atan atanh ceil clone cos cosh digamma erf
    erfc erfinv exp expm1 fix floor frac lgamma log log10 log1p log2 logit nan_to_num neg negative
    reciprocal relu round rsqrt sgn sigmoid sign sin sinh sqrt square tan tanh trunc

    add addcdiv addcmul atan2 clamp clamp_max clamp_min clip div divide floor_divide fmod hypot lerp
    logaddexp maximum minimum mul multiply pow remainder rsub sub subtract true_divide xlogy

    allclose bitwise_and bitwise_not bitwise_or bitwise_xor eq equal ge greater greater_equal gt isclose
    isfinite isinf isnan isneginf isposinf le less less_equal logical_and logical_not logical_or
    logical_xor lt ne not_equal

    all amax amin aminmax any argmax argmin bincount count_nonzero cumprod cumsum histc log_softmax
    logsumexp max mean median min prod softmax std sum var

    dist kthvalue mode nanmean nanquantile nansum quantile

    chunk diag diag_embed diagonal flatten fliplr flipud moveaxis movedim narrow ravel roll rot90
    select swapaxes swapdims t tensor_split trace transpose tril triu unbind unflatten unsqueeze

    argsort argwhere gather index_add index_copy index_fill index_select masked_fill masked_scatter
    masked_select nonzero scatter scatter_add sort take take_along_dim topk unique

    diff index_put is_complex scatter_reduce unique_consecutive

    addmm addmv baddbmm bmm cross dot ger inner kron matmul mm mv outer vdot

    cholesky det inverse logdet pinverse slogdet
"""
OF_SHAPE = """
    broadcast_to expand expand_as flip permute repeat repeat_interleave reshape reshape_as split squeeze
    tile view view_as
"""  # whose signature is not their function's, or which are no functions
LATER = {  # which are methods alone, in modules that load on first access
    "neighbours": "unfold",
    "shape_in_place": "resize_ resize_as_ squeeze_ swapaxes_ swapdims_ t_ transpose_ unsqueeze_",
}
NEW = "new_empty new_full new_ones new_tensor new_zeros"
DRAWS = "bernoulli multinomial"
DRAWS_IN_PLACE = "bernoulli_ exponential_ normal_ random_ uniform_"
IN_PLACE = """
    abs addcdiv addcmul atan ceil clamp clamp_max clamp_min clip cos cosh cumprod cumsum digamma erf
    erfc erfinv exp expm1 floor floor_divide fmod frac hypot index_add index_copy index_fill index_put
    lerp lgamma log log10 log1p log2 logical_and logical_not logical_or logical_xor logit masked_fill
    masked_scatter nan_to_num neg reciprocal relu remainder round rsqrt scatter scatter_add
    scatter_reduce sigmoid sign sin sinh sqrt square tan tanh tril triu trunc xlogy
"""  # functions that have an in-place form, `abs_` ...


class _Later:
    """A method from a module that few programs use: it is made on first access, and replaces this."""

    def __init__(self, name: str, make: Callable[[str], Any]):
        self.name, self.make = name, make

    def __get__(self, x: Any, owner: Any) -> Any:
        method = self.make(self.name)
        setattr(Methods, self.name, method)
        return method.__get__(x, owner)


def _methods() -> Iterator[tuple[str, Any]]:
    """The methods of the tables, with their names."""
    rooms: dict[str, Any] = {
        FUNCTIONS: f, OF_SHAPE: shape_methods, NEW: new, DRAWS: draws,
        DRAWS_IN_PLACE: draws_in_place,
    }  # fmt: skip
    for names, room in rooms.items():
        for name in names.split():
            loaded = name in vars(room)
            yield name, as_method(getattr(room, name)) if loaded else _Later(name, _function)
    for module, names in LATER.items():
        make = functools.partial(_function, module=module)
        yield from [(name, _Later(name, make)) for name in names.split()]
    for name in IN_PLACE.split():
        loaded = name in vars(f)
        yield name + "_", _in_place(name + "_") if loaded else _Later(name + "_", _in_place)


def _function(name: str, module: str = "") -> Any:
    """The method that a function of a module in functions/ is."""
    home = importlib.import_module(f"{f.__name__}.{module}") if module else f
    return as_method(getattr(home, name))


def _in_place(name: str) -> Any:
    """The in-place form `name` of the function without the last `_`."""
    function, op = getattr(f, name[:-1]), getattr(ops, name[:-1], None)
    if op is None or not {"input", "out"}.issuperset(function.edge.names):
        return as_method(function, composed(function))
    method = in_place(op)  # without a copy of self
    method.__doc__ = in_place_doc(function)
    return method


def _operator(record: Any, text: str) -> Any:
    """The recorder of an op as an operator: the same function, with a signature and a text of its own.

    (A function around it would take half as long again.)
    """
    names = ("self", "other")[: len(record.op.inputs)]
    function = FunctionType(
        record.__code__, record.__globals__, record.__name__, None, record.__closure__
    )
    function.__doc__, function.__module__ = f"{text}.", __name__
    parameters = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names]
    vars(function)["__signature__"] = Signature(parameters)
    return function


class Methods(Recorded):
    """A base of Tensor: the methods of the tables, the operators, and the methods below."""

    __slots__ = ()

    # --- Operators. `+`, `*` ... are ops, which refuse operands that are no Tensors or numbers ---

    __add__, __radd__ = _operator(ops.add, "self + other"), _operator(ops.add, "other + self")
    __mul__, __rmul__ = _operator(ops.mul, "self · other"), _operator(ops.mul, "other · self")
    __sub__ = _operator(ops.sub, "self − other")
    __truediv__ = _operator(ops.div, "self / other")
    __pow__ = _operator(ops.pow, "self to the power of other")
    __neg__, __abs__ = _operator(ops.neg, "−self"), _operator(ops.abs, "|self|, elementwise")
    __hash__ = object.__hash__

    def __rsub__(self, other: Any) -> Tensor:
        return ops.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return ops.div(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return ops.pow(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return multiplied(self, other) if isinstance(other, Recorded) else NotImplemented

    def __floordiv__(self, other: Any) -> Tensor:
        return f.floor_divide.edge.function(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return f.floor_divide.edge.function(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return f.remainder.edge.function(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return f.remainder.edge.function(other, self)

    def __and__(self, other: Any) -> Tensor:
        return combine_bits(np.bitwise_and, self, other)

    def __or__(self, other: Any) -> Tensor:
        return combine_bits(np.bitwise_or, self, other)

    def __xor__(self, other: Any) -> Tensor:
        return combine_bits(np.bitwise_xor, self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Tensor:
        if self._array.dtype.kind in FLOATING:
            raise TypeError(
                "~ (operator.invert) is only implemented on integer and Boolean-type tensors, got "
                f"{self.dtype}"
            )
        return f.bitwise_not(self)

    def __eq__(self, other: Any) -> Any:
        return compare(np.equal, self, other)

    def __ne__(self, other: Any) -> Any:
        return compare(np.not_equal, self, other)

    def __lt__(self, other: Any) -> Tensor:
        return compare(np.less, self, other)

    def __le__(self, other: Any) -> Tensor:
        return compare(np.less_equal, self, other)

    def __gt__(self, other: Any) -> Tensor:
        return compare(np.greater, self, other)

    def __ge__(self, other: Any) -> Tensor:
        return compare(np.greater_equal, self, other)

    def __pos__(self) -> Self:
        return self

    def positive(self) -> Self:
        """This Tensor itself: +x. RuntimeError for bools.

        >>> tc.tensor([-1.0]).positive()
        tensor([-1.])
        """
        if self._array.dtype.kind == "b":
            raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
        return self

    # --- In place ---

    __iadd__ = in_place(ops.add, np.add)
    __isub__ = in_place(ops.sub, np.subtract)
    __imul__ = in_place(ops.mul, np.multiply)
    __itruediv__ = in_place(ops.div, np.divide, floating=True)
    __ipow__ = in_place(ops.pow)
    __ifloordiv__, __imod__ = composed(f.floor_divide), composed(f.remainder)
    __iand__, __ior__ = composed(f.bitwise_and), composed(f.bitwise_or)
    __ixor__ = composed(f.bitwise_xor)

    @as_method
    @public
    def add_(self: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
        """self += alpha · other. Returns this Tensor.

        >>> tc.ones(2).add_(tc.tensor([1.0, 2.0]), alpha=10)
        tensor([11., 21.])
        """
        return self.__iadd__(
            other if type(alpha) is int and alpha == 1 else scaled(other, alpha, self)
        )

    @as_method
    @public
    def sub_(self: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
        """self −= alpha · other. Returns this Tensor.

        >>> tc.ones(2).sub_(tc.tensor([1.0, 2.0]), alpha=2)
        tensor([-1., -3.])
        """
        return self.__isub__(
            other if type(alpha) is int and alpha == 1 else scaled(other, alpha, self)
        )

    @as_method
    @public
    def subtract_(self: Tensor, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """self −= alpha · other. Returns this Tensor.

        >>> tc.ones(2).subtract_(0.5)
        tensor([0.5000, 0.5000])
        """
        return self.sub_(other, alpha=alpha)

    @as_method
    @public
    def mul_(self: Tensor, other: Tensor | Number) -> Tensor:
        """self *= other. Returns this Tensor.

        >>> tc.tensor([1.0, 2.0]).mul_(3)
        tensor([3., 6.])
        """
        return self.__imul__(other)

    @as_method
    @public
    def div_(self: Tensor, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
        """self /= other, rounded as by `div`. Returns this Tensor. RuntimeError for integers.

        >>> tc.tensor([3.0, 5.0]).div_(2), tc.tensor([3.0, 5.0]).div_(2, rounding_mode="floor")
        (tensor([1.5000, 2.5000]), tensor([1., 2.]))
        """
        if rounding_mode is None:
            return self.__itruediv__(other)
        return _div_(self, other, rounding_mode=rounding_mode)

    @as_method
    @public(overloads=True)
    def pow_(self: Tensor, exponent: Tensor | Number) -> Tensor:
        """self **= exponent. Returns this Tensor.

        >>> tc.tensor([1.0, 2.0]).pow_(2)
        tensor([1., 4.])
        """
        return self.__ipow__(exponent)

    @as_method
    @public
    def multiply_(self: Tensor, other: Tensor | Number) -> Tensor:
        """self *= other: `mul_`. Returns this Tensor.

        >>> tc.ones(2).multiply_(3)
        tensor([3., 3.])
        """
        return self.__imul__(other)

    @as_method
    @public(overloads=True)
    def divide_(
        self: Tensor, other: Tensor | Number, *, rounding_mode: str | None = None
    ) -> Tensor:
        """self /= other: `div_`. Returns this Tensor.

        >>> tc.ones(2).divide_(4)
        tensor([0.2500, 0.2500])
        """
        return self.div_(other, rounding_mode=rounding_mode)

    # --- With another signature than the function ---

    def norm(
        self,
        p: float | str | None = "fro",
        dim: Ints | None = None,
        keepdim: bool = False,
        dtype: DType | None = None,
    ) -> Tensor:
        """(Σ |x|ᵖ)^(1/p) over dim. See `tinygrad_cnn.norm`.

        >>> tc.tensor([3.0, 4.0]).norm()
        tensor(5.)
        """
        return f.norm.edge.function(self, p, dim, keepdim, None, dtype)  # type: ignore[attr-defined]

    @numpys_names
    def where(self, condition: Tensor, other: Tensor | Number) -> Tensor:
        """self where the condition holds, else other. See `tinygrad_cnn.where`.

        >>> tc.ones(2).where(tc.tensor([True, False]), 0.0)
        tensor([1., 0.])
        """
        return f.where(condition, self, other)

    # --- Shapes ---

    @property
    def T(self) -> Tensor:
        """The transpose of a matrix. RuntimeError for more than two axes.

        >>> tc.zeros(2, 3).T.shape
        torch.Size([3, 2])
        """
        return transposed_matrix(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged: the transpose of each matrix of a batch.

        >>> tc.zeros(5, 2, 3).mT.shape
        torch.Size([5, 3, 2])
        """
        n = self._array.ndim
        if not n:
            return self  # type: ignore[return-value]
        if n < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {n}-D tensor."
            )
        return ops.permute(self, dims=(*range(n - 2), n - 1, n - 2))


_div_ = composed(f.div)
for _name, _method in _methods():
    setattr(Methods, _name, _method)
