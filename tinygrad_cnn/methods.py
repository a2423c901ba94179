"""The methods of Tensor that are functions, operators and in-place forms: one line for each name."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import creation, functions as f, ops
from .engine import Recorded
from .functions.shape import repeat, view
from .inplace import composed, in_place


class Methods(Recorded):
    """What Tensor inherits."""

    __slots__ = ()

    # --- operators ---

    __add__ = __radd__ = ops.add
    __mul__ = __rmul__ = ops.mul
    __sub__ = ops.sub
    __truediv__ = ops.div
    __pow__ = ops.pow
    __neg__ = ops.neg
    __abs__ = ops.abs
    __matmul__ = f.matmul
    __floordiv__, __mod__ = f.floor_divide, f.remainder
    __and__ = __rand__ = f.bitwise_and
    __or__ = __ror__ = f.bitwise_or
    __xor__ = __rxor__ = f.bitwise_xor
    __invert__ = f.bitwise_not
    __eq__, __ne__ = f.eq, f.ne
    __lt__, __le__, __gt__, __ge__ = f.lt, f.le, f.gt, f.ge
    __hash__ = object.__hash__

    def __rsub__(self, other: Any) -> Any:
        return ops.sub(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return ops.div(other, self)

    def __rpow__(self, other: Any) -> Any:
        return ops.pow(other, self)

    def __rfloordiv__(self, other: Any) -> Any:
        return f.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Any:
        return f.remainder(other, self)

    def __pos__(self) -> Any:
        return self

    # --- elementwise ---

    abs, absolute, neg, negative, positive = f.abs, f.abs, f.neg, f.neg, __pos__
    add, sub, subtract, rsub = f.add, f.sub, f.sub, f.rsub
    mul, multiply, pow, square, reciprocal = f.mul, f.mul, f.pow, f.square, f.reciprocal
    div, divide, true_divide, floor_divide = f.div, f.div, f.div, f.floor_divide
    remainder, fmod = f.remainder, f.fmod
    exp, expm1, log, log1p, log2, log10 = f.exp, f.expm1, f.log, f.log1p, f.log2, f.log10
    sqrt, rsqrt, logit, sigmoid, relu = f.sqrt, f.rsqrt, f.logit, f.sigmoid, f.relu
    sin, cos, tan, asin, acos, atan = f.sin, f.cos, f.tan, f.asin, f.acos, f.atan
    arcsin, arccos, arctan, atan2 = f.asin, f.acos, f.atan, f.atan2
    sinh, cosh, tanh, asinh, acosh, atanh = f.sinh, f.cosh, f.tanh, f.asinh, f.acosh, f.atanh
    erf, erfinv, sign, sgn = f.erf, f.erfinv, f.sign, f.sign
    floor, ceil, round, trunc, fix, frac = f.floor, f.ceil, f.round, f.trunc, f.trunc, f.frac
    clamp, clip, clamp_min, clamp_max = f.clamp, f.clamp, f.clamp_min, f.clamp_max
    maximum, minimum, nan_to_num = f.maximum, f.minimum, f.nan_to_num
    lerp, addcmul, addcdiv, clone = f.lerp, f.addcmul, f.addcdiv, f.clone

    def where(self, condition: Any, other: Any) -> Any:
        """This where the condition holds, else other."""
        return f.where(condition, self, other)

    # --- comparisons ---

    eq, ne, lt, le, gt, ge = f.eq, f.ne, f.lt, f.le, f.gt, f.ge
    not_equal, less, less_equal = f.ne, f.lt, f.le
    greater, greater_equal = f.gt, f.ge
    isnan, isinf, isfinite = f.isnan, f.isinf, f.isfinite
    isposinf, isneginf = f.isposinf, f.isneginf
    logical_and, logical_or = f.logical_and, f.logical_or
    logical_xor, logical_not = f.logical_xor, f.logical_not
    bitwise_and, bitwise_or = f.bitwise_and, f.bitwise_or
    bitwise_xor, bitwise_not = f.bitwise_xor, f.bitwise_not
    isclose, allclose, equal = f.isclose, f.allclose, f.equal

    # --- reductions ---

    sum, mean, prod, norm, var, std = f.sum, f.mean, f.prod, f.norm, f.var, f.std
    max, min, amax, amin, aminmax, median = f.max, f.min, f.amax, f.amin, f.aminmax, f.median
    argmax, argmin, all, any = f.argmax, f.argmin, f.all, f.any
    count_nonzero, bincount, histc = f.count_nonzero, f.bincount, f.histc
    logsumexp, softmax, log_softmax = f.logsumexp, f.softmax, f.log_softmax
    cumsum, cumprod = f.cumsum, f.cumprod

    # --- shapes ---

    reshape, view, flatten, unflatten, ravel = f.reshape, view, f.flatten, f.unflatten, f.ravel
    squeeze, unsqueeze, permute = f.squeeze, f.unsqueeze, f.permute
    transpose, swapaxes, swapdims, t = f.transpose, f.transpose, f.transpose, f.t
    movedim, moveaxis = f.movedim, f.movedim
    expand, broadcast_to, repeat, tile = f.expand, f.broadcast_to, repeat, f.tile
    repeat_interleave = f.repeat_interleave
    narrow, select, unbind, split, chunk = f.narrow, f.select, f.unbind, f.split, f.chunk
    flip, fliplr, flipud, rot90, roll = f.flip, f.fliplr, f.flipud, f.rot90, f.roll
    diagonal, diag, diag_embed, trace = f.diagonal, f.diag, f.diag_embed, f.trace
    tril, triu = f.tril, f.triu

    T = property(f.t, doc="The transpose of a matrix.")

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return f.transpose(self, -1, -2)

    def expand_as(self, other: Recorded) -> Any:
        """Expanded to the shape of another."""
        return f.expand(self, other._array.shape)

    def view_as(self, other: Recorded) -> Any:
        """As a view in the shape of another."""
        return view(self, other._array.shape)

    def reshape_as(self, other: Recorded) -> Any:
        """In the shape of another."""
        return f.reshape(self, other._array.shape)

    # --- picking and putting ---

    gather, take, take_along_dim = f.gather, f.take, f.take_along_dim
    scatter, scatter_add = f.scatter, f.scatter_add
    index_select, index_add = f.index_select, f.index_add
    index_copy, index_fill = f.index_copy, f.index_fill
    masked_fill, masked_select, masked_scatter = f.masked_fill, f.masked_select, f.masked_scatter
    sort, argsort, topk, unique = f.sort, f.argsort, f.topk, f.unique
    nonzero, argwhere = f.nonzero, f.argwhere

    # --- products ---

    matmul, mm, bmm, mv, dot, vdot = f.matmul, f.mm, f.bmm, f.mv, f.dot, f.dot
    outer, ger, inner, kron, cross = f.outer, f.outer, f.inner, f.kron, f.cross
    addmm, addmv, baddbmm = f.addmm, f.addmv, f.baddbmm

    # --- new ones ---

    new_zeros, new_ones, new_empty = creation.new_zeros, creation.new_ones, creation.new_empty
    new_full, new_tensor = creation.new_full, creation.new_tensor
    bernoulli, multinomial = creation.bernoulli, creation.multinomial

    # --- in place ---

    __iadd__ = in_place(ops.add, np.add)
    __isub__ = in_place(ops.sub, np.subtract)
    __imul__ = mul_ = in_place(ops.mul, np.multiply)
    __itruediv__ = in_place(ops.div, np.divide, floating=True)
    __ipow__ = pow_ = in_place(ops.pow)
    __ifloordiv__ = floor_divide_ = composed(f.floor_divide)
    __imod__ = remainder_ = composed(f.remainder)
    __iand__, __ior__ = composed(f.bitwise_and), composed(f.bitwise_or)
    __ixor__ = composed(f.bitwise_xor)
    multiply_, fmod_ = mul_, composed(f.fmod)
    abs_, neg_, sign_ = in_place(ops.abs), in_place(ops.neg), in_place(ops.sign)
    exp_, expm1_, log_ = in_place(ops.exp), in_place(ops.expm1), in_place(ops.log)
    log1p_, log2_, log10_ = in_place(ops.log1p), in_place(ops.log2), in_place(ops.log10)
    sqrt_, rsqrt_, square_ = in_place(ops.sqrt), in_place(ops.rsqrt), in_place(ops.square)
    reciprocal_, erf_, erfinv_ = in_place(ops.reciprocal), in_place(ops.erf), in_place(ops.erfinv)
    sin_, cos_, tan_ = in_place(ops.sin), in_place(ops.cos), in_place(ops.tan)
    sinh_, cosh_, tanh_ = in_place(ops.sinh), in_place(ops.cosh), in_place(ops.tanh)
    atan_, sigmoid_, relu_ = in_place(ops.atan), in_place(ops.sigmoid), in_place(ops.relu)
    floor_, ceil_, trunc_ = in_place(ops.floor), in_place(ops.ceil), in_place(ops.trunc)
    round_, frac_ = composed(f.round), composed(f.frac)
    clamp_ = clip_ = composed(f.clamp)
    clamp_min_, clamp_max_ = composed(f.clamp_min), composed(f.clamp_max)
    nan_to_num_, logit_ = composed(f.nan_to_num), composed(f.logit)
    lerp_, addcmul_, addcdiv_ = composed(f.lerp), composed(f.addcmul), composed(f.addcdiv)
    masked_fill_, masked_scatter_ = composed(f.masked_fill), composed(f.masked_scatter)
    index_add_, index_copy_ = composed(f.index_add), composed(f.index_copy)
    index_fill_ = composed(f.index_fill)
    scatter_, scatter_add_ = composed(f.scatter), composed(f.scatter_add)
    cumsum_, cumprod_ = composed(f.cumsum), composed(f.cumprod)
    tril_, triu_ = composed(f.tril), composed(f.triu)
    logical_not_, logical_and_ = composed(f.logical_not), composed(f.logical_and)
    logical_or_, logical_xor_ = composed(f.logical_or), composed(f.logical_xor)
    normal_, uniform_, bernoulli_ = creation.normal_, creation.uniform_, creation.bernoulli_
    random_, exponential_ = creation.random_, creation.exponential_

    def add_(self, other: Any, *, alpha: Any = 1) -> Any:
        """this += alpha · other."""
        return self.__iadd__(other if alpha == 1 else ops.mul(other, alpha))

    def sub_(self, other: Any, *, alpha: Any = 1) -> Any:
        """this −= alpha · other."""
        return self.__isub__(other if alpha == 1 else ops.mul(other, alpha))

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Any:
        """this /= other, rounded as by `div`."""
        if rounding_mode is None:
            return self.__itruediv__(other)
        return _div_(self, other, rounding_mode=rounding_mode)

    subtract_, divide_ = sub_, div_


_div_ = composed(f.div)
