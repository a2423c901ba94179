"""The methods of Tensor that are functions, operators and in-place forms, in tables of names.

Such a method is the public function of its name, with the Tensor itself for the first parameter.
`methods.pyi` shows their types; `python -m tests.typing.stubs` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from . import functions as f, ops
from .creation import draws, draws_in_place, new
from .engine import Recorded
from .functions import shape_methods
from .functions.arguments import scaled
from .functions.comparison import combine_bits, compare
from .functions.products import multiplied
from .functions.public import as_method
from .functions.reshaping import transposed_matrix
from .inplace import composed, in_place
from .types import DType, Ints, Number

if TYPE_CHECKING:
    from .tensor import Tensor

FUNCTIONS = """
    abs absolute acos acosh arccos arcsin arctan asin asinh atan atanh ceil clone cos cosh erf erfinv
    exp expm1 fix floor frac log log10 log1p log2 logit nan_to_num neg negative reciprocal relu round
    rsqrt sgn sigmoid sign sin sinh sqrt square tan tanh trunc

    add addcdiv addcmul atan2 clamp clamp_max clamp_min clip div divide floor_divide fmod lerp maximum
    minimum mul multiply pow remainder rsub sub subtract true_divide

    allclose bitwise_and bitwise_not bitwise_or bitwise_xor eq equal ge greater greater_equal gt isclose
    isfinite isinf isnan isneginf isposinf le less less_equal logical_and logical_not logical_or
    logical_xor lt ne not_equal

    all amax amin aminmax any argmax argmin bincount count_nonzero cumprod cumsum histc log_softmax
    logsumexp max mean median min prod softmax std sum var

    chunk diag diag_embed diagonal flatten fliplr flipud moveaxis movedim narrow ravel roll rot90
    select swapaxes swapdims t trace transpose tril triu unbind unflatten unsqueeze

    argsort argwhere gather index_add index_copy index_fill index_select masked_fill masked_scatter
    masked_select nonzero scatter scatter_add sort take take_along_dim topk unique

    addmm addmv baddbmm bmm cross dot ger inner kron matmul mm mv outer vdot
"""
OF_SHAPE = """
    broadcast_to expand expand_as flip permute repeat repeat_interleave reshape reshape_as split squeeze
    tile view view_as
"""  # whose signature is not their function's, or which are no functions
NEW = "new_empty new_full new_ones new_tensor new_zeros"
DRAWS = "bernoulli multinomial"
DRAWS_IN_PLACE = "bernoulli_ exponential_ normal_ random_ uniform_"
IN_PLACE = """
    abs atan ceil cos cosh erf erfinv exp expm1 floor log log10 log1p log2 neg reciprocal relu rsqrt
    sigmoid sign sin sinh sqrt square tan tanh trunc
"""  # by the op of that name
IN_PLACE_COMPOSED = """
    addcdiv addcmul clamp clamp_max clamp_min clip cumprod cumsum floor_divide fmod frac index_add
    index_copy index_fill lerp logical_and logical_not logical_or logical_xor logit masked_fill
    masked_scatter nan_to_num remainder round scatter scatter_add tril triu
"""  # by the function of that name


def _methods() -> Iterator[tuple[str, Any]]:
    """The methods of the tables, with their names."""
    rooms = {
        FUNCTIONS: f, OF_SHAPE: shape_methods, NEW: new, DRAWS: draws,
        DRAWS_IN_PLACE: draws_in_place,
    }  # fmt: skip
    for names, room in rooms.items():
        for name in names.split():
            yield name, as_method(getattr(room, name))
    for name in IN_PLACE.split():
        yield name + "_", in_place(getattr(ops, name))
    for name in IN_PLACE_COMPOSED.split():
        function = getattr(f, name)
        yield name + "_", as_method(function, composed(function))


class Methods(Recorded):
    """What Tensor inherits: the methods of the tables, operators, and what stands here."""

    __slots__ = ()

    # --- Operators. `+`, `*` ... are ops, which refuse operands that are no Tensors or numbers ---

    __add__ = __radd__ = ops.add
    __mul__ = __rmul__ = ops.mul
    __sub__, __truediv__, __pow__ = ops.sub, ops.div, ops.pow
    __neg__, __abs__ = ops.neg, ops.abs
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
        return f.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return f.floor_divide(other, self)

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
        if self._array.dtype.kind == "f":
            raise TypeError(
                "~ (operator.invert) is only implemented on integer and Boolean-type tensors, got "
                f"{self._array.dtype}"
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
        """This Tensor. RuntimeError for bools."""
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

    def add_(self, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
        """self += alpha · other. Returns this Tensor.

        >>> tc.ones(2).add_(tc.tensor([1.0, 2.0]), alpha=10)
        tensor([11., 21.])
        """
        return self.__iadd__(
            other if type(alpha) is int and alpha == 1 else scaled(other, alpha, self)
        )

    def sub_(self, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
        """self −= alpha · other. Returns this Tensor."""
        return self.__isub__(
            other if type(alpha) is int and alpha == 1 else scaled(other, alpha, self)
        )

    def subtract_(self, other: Tensor | Number, alpha: Number = 1) -> Tensor:
        """self −= alpha · other. Returns this Tensor."""
        return self.sub_(other, alpha=alpha)

    def mul_(self, other: Tensor | Number) -> Tensor:
        """self *= other. Returns this Tensor.

        >>> tc.tensor([1.0, 2.0]).mul_(3)
        tensor([3., 6.])
        """
        return self.__imul__(other)

    def div_(self, other: Tensor | Number, *, rounding_mode: str | None = None) -> Tensor:
        """self /= other, rounded as by `div`. Returns this Tensor. RuntimeError for integers.

        >>> tc.tensor([3.0, 5.0]).div_(2), tc.tensor([3.0, 5.0]).div_(2, rounding_mode="floor")
        (tensor([1.5000, 2.5000]), tensor([1., 2.]))
        """
        if rounding_mode is None:
            return self.__itruediv__(other)
        return _div_(self, other, rounding_mode=rounding_mode)

    def pow_(self, exponent: Tensor | Number) -> Tensor:
        """self **= exponent. Returns this Tensor.

        >>> tc.tensor([1.0, 2.0]).pow_(2)
        tensor([1., 4.])
        """
        return self.__ipow__(exponent)

    multiply_, divide_ = mul_, div_

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

    def where(self, condition: Tensor, other: Tensor | Number) -> Tensor:
        """self where the condition holds, else other. See `tinygrad_cnn.where`.

        >>> tc.ones(2).where(tc.tensor([True, False]), 0.0)
        tensor([1., 0.])
        """
        return f.where(condition, self, other)

    # --- Shapes ---

    @property
    def T(self) -> Tensor:
        """The transpose of a matrix. RuntimeError for more than two axes."""
        return transposed_matrix(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged: the transpose of each matrix of a batch."""
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
