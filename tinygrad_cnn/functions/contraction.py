"""Products of Tensors summed over axes that they share: einsum, tensordot, inner."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import ops
from ..engine import Recorded
from .arguments import axes, ints, kind_of, several
from .public import public
from .reduction import summable

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["einsum", "inner", "tensordot"]


@public
def einsum(equation: str, *operands: Tensor | Sequence[Tensor]) -> Tensor:
    """Products of elements with the same labels, summed over the labels that the output lacks.

    "bij,bjk->bik" multiplies batches of matrices; "..." stands for axes that broadcast; a label
    twice in one operand takes its diagonal; without "->" the output has each label that occurs once,
    in alphabetical order. Of more than two operands the first two are contracted first. Integers that
    are summed alone, before a product, are summed in int64.

    The operands have one dtype, and may come as one list. RuntimeError for labels or dtypes that do
    not fit the operands, NotImplementedError for lists of axes in place of an equation.

    >>> tc.einsum("ij,kj->ik", tc.tensor([[1.0, 2.0]]), tc.tensor([[3.0, 4.0], [5.0, 6.0]]))
    tensor([[11., 17.]])
    """
    if isinstance(equation, Recorded):
        raise NotImplementedError("einsum: the first argument must be an equation, as 'ij,jk->ik'")
    if not isinstance(equation, str):
        raise TypeError(
            f"einsum(): argument 'equation' (position 1) must be str, not {kind_of(equation)}"
        )
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError("einsum(): must specify the equation string and at least one operand")
    xs = several("einsum", operands)
    _check_one_dtype("einsum", xs)
    inputs, output = _labels(equation, tuple([x._array.ndim for x in xs]))
    for k, labels in enumerate(inputs):
        if set(labels) - set(output).union(*inputs[:k], *inputs[k + 1 :]):
            xs[k] = summable("einsum", xs[k], None)
    size: dict[str, int] = {}
    for k, (labels, x) in enumerate(zip(inputs, xs, strict=True)):
        for label, n in zip(labels, x._array.shape, strict=True):
            seen = size.get(label, 1)
            if n != seen and 1 not in (n, seen):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {k} which does not "
                    f"broadcast with previously seen size {seen}"
                )
            size[label] = n if seen == 1 else seen
    return _product(list(zip(xs, inputs, strict=True)), output, size)


@public
def tensordot(
    a: Tensor,
    b: Tensor,
    dims: int | Sequence[Sequence[int]] | Tensor = 2,
    out: Tensor | None = None,
) -> Tensor:
    """The products of a and b, summed over pairs of axes.

    dims: a number n, for the last n axes of a with the first n of b, or two lists of axes. The
    result has the other axes of a, and then those of b. Paired axes have equal sizes, or one of them
    the size 1; RuntimeError for others, and for Tensors of two dtypes.

    >>> tc.tensordot(tc.ones(2, 3, 4), tc.ones(3, 4, 5)).shape
    torch.Size([2, 5])
    >>> tc.tensordot(tc.ones(2, 3), tc.ones(3, 2), dims=([0, 1], [1, 0]))
    tensor(6.)
    """
    if out is not None:  # a positional argument
        return tensordot(a, b, dims, out=out)
    return _paired("tensordot", a, b, *_pairs(dims, a._array.ndim, b._array.ndim))


@public
def inner(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The products of the vectors along the last axes of both, summed: (.., J) and (..., J).

    The result has the other axes of input, and then those of other. A Tensor without axes scales.

    >>> tc.inner(tc.tensor([1.0, 2.0]), tc.tensor([[1.0, 0.0], [1.0, 1.0]]))
    tensor([1., 3.])
    """
    a, b = input._array.shape, other._array.shape
    if not a or not b:
        return ops.mul(input, other)
    if a[-1] != b[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a)} and {list(b)}"
        )
    return _paired("inner", input, other, (len(a) - 1,), (len(b) - 1,))


def _pairs(dims: Any, m: int, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes of a and of b, of m and n axes, that `dims` of tensordot pairs."""
    if isinstance(dims, Recorded):
        dims = dims._array.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(m, n):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        return tuple(range(m - dims, m)), tuple(range(dims))
    if not isinstance(dims, (tuple, list)) or len(dims) != 2:
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] "
            f"containing two lists, but got dims={dims}"
        )
    of_a, of_b = ints("tensordot", "dims_self", dims[0]), ints("tensordot", "dims_other", dims[1])
    if len(of_a) != len(of_b):
        raise RuntimeError("both dimension lists should have same length")
    return axes("tensordot", m, of_a) or (), axes("tensordot", n, of_b) or ()


def _paired(name: str, a: Any, b: Any, of_a: Sequence[int], of_b: Sequence[int]) -> Any:
    """The products of a and b, summed over the axes of_a[k] of a with of_b[k] of b."""
    _check_one_dtype(name, (a, b))
    shape, m, n = a._array.shape + b._array.shape, a._array.ndim, b._array.ndim
    labels = [chr(k) for k in range(m + n)]
    size = dict(zip(labels, shape, strict=True))
    for j, k in zip(of_a, of_b, strict=True):
        if shape[j] != shape[m + k] and 1 not in (shape[j], shape[m + k]):
            raise RuntimeError(
                f"{name}: contracted dimensions need to match, but first has size {shape[j]} in dim "
                f"{j} and second has size {shape[m + k]} in dim {k}"
            )
        size[labels[j]] = shape[m + k] if shape[j] == 1 else shape[j]
        labels[m + k] = labels[j]
    left, right = labels[:m], labels[m:]
    output = [label for label in left + right if (label in left) != (label in right)]
    return _product([(a, left), (b, right)], output, size)


def _check_one_dtype(name: str, xs: Sequence[Any]) -> None:
    for x in xs:
        if x._array.dtype != xs[0]._array.dtype:
            raise RuntimeError(f"{name}: expected scalar type {xs[0].dtype} but found {x.dtype}")


# --- Labels -------------------------------------------------------------------------------------


@functools.lru_cache
def _labels(equation: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """The labels of each operand and of the output, one letter for each axis.

    The axes of "..." get made-up labels.
    """
    left, arrow, output = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        more = "more" if len(ndims) > len(terms) else "fewer"
        raise RuntimeError(
            f"einsum(): {more} operands were provided than specified in the equation"
        )
    widest, inputs = "", []
    for k, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
        plain = term.replace("...", "", 1)
        _check_letters(plain)
        extra = ndim - len(plain)
        if extra < 0 or (extra and plain == term):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(plain)}) does not match "
                f"the number of dimensions ({ndim}) for operand {k}"
                + (" and no ellipsis was given" if plain == term else "")
            )
        made_up = "".join(map(chr, range(extra)))[::-1]  # the last axis is the first letter
        widest = made_up if len(made_up) > len(widest) else widest
        inputs.append(term.replace("...", made_up))
    if not arrow:
        letters = sorted(left.replace(",", "").replace(".", ""))
        return inputs, widest + "".join(a for a in letters if letters.count(a) == 1)
    plain = output.replace("...", "", 1)
    _check_letters(plain)
    for a in plain:
        if plain.count(a) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {a} appears more than once in the output"
            )
        if a not in left:
            raise RuntimeError(
                f"einsum(): output subscript {a} does not appear in the equation for any input operand"
            )
    return inputs, output.replace("...", widest)


def _check_letters(term: str) -> None:
    for a in term:
        if not (a.isascii() and a.isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript given: {a!r}, subscripts must be in [a-zA-Z]"
            )


# --- Products of labelled Tensors ---------------------------------------------------------------


def _product(
    parts: Sequence[tuple[Any, Sequence[str]]], output: Sequence[str], size: dict[str, int]
) -> Any:
    """The product of Tensors whose axes have labels, summed over the labels not in `output`.

    `size` of each label: axes of size 1 broadcast to it.
    """
    distinct = [_distinct(x, list(labels), size) for x, labels in parts]
    y = _contracted(distinct, [label for label in output if size[label] != 1])
    return ops.reshape(y, shape=tuple([size[label] for label in output]))


def _distinct(x: Any, labels: list[str], size: dict[str, int]) -> tuple[Any, list[str]]:
    """`x` without the axes of size 1, and with one axis, a diagonal, for each label."""
    shape = x._array.shape
    kept = [k for k, label in enumerate(labels) if shape[k] != 1]
    if len(kept) < len(shape):
        x = ops.reshape(x, shape=tuple([shape[k] for k in kept]))
        labels = [labels[k] for k in kept]
    for label in sorted({a for a in labels if labels.count(a) > 1}):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = ops.diagonal(x, offset=0, dims=(first, second))
            labels = [a for k, a in enumerate(labels) if k not in (first, second)] + [label]
    return x, labels


def _contracted(parts: list[tuple[Any, list[str]]], output: Sequence[str]) -> Any:
    """The sum over all labels but those of the output, which come in that order."""
    while True:
        x, labels = parts.pop(0)
        later = {*output, *(a for _, more in parts for a in more)}
        x, labels = _summed(x, labels, later)
        if not parts:
            return ops.permute(x, dims=tuple([labels.index(a) for a in output]))
        w, of_w = parts.pop(0)
        needed = {*output, *(a for _, more in parts for a in more)}
        w, of_w = _summed(w, of_w, {*labels, *needed})
        of_y = [a for a in dict.fromkeys((*labels, *of_w)) if a in needed]
        if not parts:
            of_y = list(output)
        y = ops.contract(x, w, of_a="".join(labels), of_b="".join(of_w), of_y="".join(of_y))
        parts.insert(0, (y, of_y))


def _summed(x: Any, labels: list[str], needed: set[str]) -> tuple[Any, list[str]]:
    """`x` summed over the labels that are not needed."""
    gone = tuple([k for k, label in enumerate(labels) if label not in needed])
    if gone:
        dtype = x._array.dtype
        x = ops.sum(x, dim=gone)
        if x._array.dtype != dtype:  # NumPy sums small integers in a larger dtype
            x = ops.cast(x, dtype=dtype)
    return x, [label for label in labels if label in needed]
