"""Products of vectors, matrices and batches of them, and einsum."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from .. import ops
from ..engine import Recorded
from .arguments import axis, tensors
from .binary import add
from .shape import diagonal, roll

__all__ = [
    "addmm", "addmv", "baddbmm", "bmm", "cross", "dot", "einsum", "ger", "inner", "kron", "matmul",
    "mm", "mv", "outer", "tensordot", "trace", "vdot",
]  # fmt: skip


def matmul(input: Any, other: Any) -> Any:
    """The product of vectors, matrices or batches of matrices, by NumPy's rules.

    >>> import tinygrad_cnn as tc
    >>> tc.ones(2, 3) @ tc.ones(3)
    tensor([3., 3.])
    """
    if not isinstance(input, Recorded) or not isinstance(other, Recorded):
        return NotImplemented
    a, b = input._array.shape, other._array.shape
    if not a or not b:
        raise RuntimeError(f"matmul: both arguments need at least 1 axis, got shapes {a} and {b}")
    if a[-1] != b[-2 if len(b) > 1 else 0]:
        raise RuntimeError(f"matmul: mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"matmul: expected both to have the same dtype, but got {input._array.dtype} and "
            f"{other._array.dtype}"
        )
    x = input if len(a) > 1 else ops.reshape(input, shape=(1, *a))
    w = other if len(b) > 1 else ops.reshape(other, shape=(*b, 1))
    try:
        y = ops.matmul(x, w)
    except ValueError:
        raise RuntimeError(f"matmul: the leading axes of {a} and {b} do not broadcast") from None
    index: tuple[Any, ...] = (..., 0, slice(None)) if len(a) == 1 else (...,)
    if len(b) == 1:
        index = (..., 0, 0) if len(a) == 1 else (..., 0)
    return y if len(a) > 1 and len(b) > 1 else ops.getitem(y, index=index)


def _of_axes(name: str, first: int, second: int, doc: str) -> Any:
    def product(input: Any, other: Any) -> Any:
        tensors(name, input=input, other=other)
        a, b = input._array.shape, other._array.shape
        if (len(a), len(b)) != (first, second) or (first == 3 and a[0] != b[0]):
            raise RuntimeError(
                f"{name}: wanted {first}D and {second}D tensors"
                f"{' with batches of one size' if first == 3 else ''}, got shapes {a} and {b}"
            )
        return matmul(input, other)

    product.__name__, product.__doc__ = name, doc
    return product


mm = _of_axes("mm", 2, 2, "The product of two matrices.")
bmm = _of_axes(
    "bmm", 3, 3, "The products of matrices, one pair after the other: (B, I, J) (B, J, K)."
)
mv = _of_axes("mv", 2, 1, "The product of a matrix and a vector.")
dot = vdot = _of_axes("dot", 1, 1, "Σ of the products of two vectors.")


def outer(input: Any, vec2: Any) -> Any:
    """y[i, j] = input[i] · vec2[j]."""
    tensors("outer", input=input, vec2=vec2)
    if input._array.ndim != 1 or vec2._array.ndim != 1:
        raise RuntimeError(
            f"outer: Expected 1-D arguments, got shapes {input._array.shape}, {vec2._array.shape}"
        )
    return ops.mul(ops.reshape(input, shape=(-1, 1)), vec2)


ger = outer


def inner(input: Any, other: Any) -> Any:
    """Σ over the last axes of both."""
    if not input._array.ndim or not other._array.ndim:
        return ops.mul(input, other)
    return tensordot(input, other, ([-1], [-1]))


def _added(name: str, product: Any, doc: str) -> Any:
    def run(input: Any, left: Any, right: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
        y = product(left, right)
        y = y if alpha == 1 else ops.mul(y, alpha)
        if beta == 0:  # NaN and ∞ of input are not passed on
            return y
        return add(y, input, alpha=beta)

    run.__name__, run.__doc__ = name, doc
    return run


addmm = _added("addmm", mm, "beta · input + alpha · left right, of matrices.")
addmv = _added("addmv", mv, "beta · input + alpha · left right, of a matrix and a vector.")
baddbmm = _added("baddbmm", bmm, "beta · input + alpha · left right, of batches of matrices.")


def trace(input: Any) -> Any:
    """Σ of the diagonal of a matrix."""
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    return ops.sum(diagonal(input))


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """a × b along an axis of length 3: the first such one unless told."""
    if dim is None:
        found = [k for k, n in enumerate(input._array.shape) if n == 3]
        if not found:
            raise RuntimeError("no dimension of size 3 in input")
        dim = found[0]
    dim = axis("cross", input._array.ndim, dim)
    if input._array.shape[dim] != 3 or other._array.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got "
            f"{input._array.shape[dim]} and {other._array.shape[dim]}"
        )
    # a × b = σ(a σ(b) − σ(a) b) with σ: the next of three
    return roll(input * roll(other, -1, dim) - roll(input, -1, dim) * other, -1, dim)


def kron(input: Any, other: Any) -> Any:
    """input with each element replaced by its product with other."""
    a, b = input._array.shape, other._array.shape
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    x = ops.reshape(input, shape=tuple(m for k in a for m in (k, 1)))
    w = ops.reshape(other, shape=tuple(m for k in b for m in (1, k)))
    return ops.reshape(ops.mul(x, w), shape=tuple(i * j for i, j in zip(a, b, strict=True)))


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Σ over pairs of axes: the last n of a with the first n of b, or two lists of axes."""
    m, n = a._array.ndim, b._array.ndim
    if isinstance(dims, int):
        dims = (range(m - dims, m), range(dims))
    of_a, of_b = ([axis("tensordot", k, d) for d in ds] for k, ds in ((m, dims[0]), (n, dims[1])))
    pairs = dict(zip(of_b, of_a, strict=True))
    letters = [chr(k) for k in range(m + n)]
    right = [letters[pairs[k]] if k in pairs else letters[m + k] for k in range(n)]
    y = [letters[k] for k in range(m) if k not in of_a]
    y += [label for k, label in enumerate(right) if k not in pairs]
    return _contracted([(a, letters[:m]), (b, right)], y)


# --- Einsum -------------------------------------------------------------------------------------


def einsum(equation: str, *operands: Any) -> Any:
    """Products of elements with the same labels, summed over the labels that the output lacks.

    "bij,bjk->bik" multiplies batches of matrices; "..." stands for axes that broadcast; a label
    twice in one operand takes its diagonal; without "->" the output has each label that occurs once,
    in alphabetical order. Of more than two operands the first two are contracted first.

    Raises RuntimeError where labels do not fit the operands.

    >>> import tinygrad_cnn as tc
    >>> tc.einsum("ij,kj->ik", tc.tensor([[1.0, 2.0]]), tc.tensor([[3.0, 4.0], [5.0, 6.0]]))
    tensor([[11., 17.]])
    """
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    if not isinstance(equation, str):
        raise NotImplementedError("einsum: the first argument must be an equation, as 'ij,jk->ik'")
    tensors("einsum", **{f"operands[{k}]": x for k, x in enumerate(operands)})
    shapes = tuple(x._array.shape for x in operands)
    inputs, output = _labels(equation, tuple(len(shape) for shape in shapes))
    size: dict[str, int] = {}
    for k, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        for label, n in zip(labels, shape, strict=True):
            seen = size.get(label, 1)
            if n != seen and 1 not in (n, seen):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {k} which does not "
                    f"broadcast with previously seen size {seen}"
                )
            size[label] = n if seen == 1 else seen
    parts = [_distinct(x, list(labels), size) for x, labels in zip(operands, inputs, strict=True)]
    y = _contracted(parts, [label for label in output if size[label] != 1])
    return ops.reshape(y, shape=tuple(size[label] for label in output))


@functools.lru_cache
def _labels(equation: str, ndims: tuple[int, ...]) -> tuple[list[str], str]:
    """A string for each operand and for the output, a letter an axis; those of "..." are made up."""
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


def _distinct(x: Any, labels: list[str], size: dict[str, int]) -> tuple[Any, list[str]]:
    """x by labels that differ: without the axes that broadcast, of equal ones the diagonal."""
    shape = x._array.shape
    kept = [k for k, label in enumerate(labels) if shape[k] != 1 or size[label] == 1]
    kept = [k for k in kept if size[labels[k]] != 1]
    if len(kept) < len(shape):
        x = ops.reshape(x, shape=tuple(shape[k] for k in kept))
        labels = [labels[k] for k in kept]
    for label in sorted({a for a in labels if labels.count(a) > 1}):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            x = ops.diagonal(x, offset=0, dims=(first, second))
            labels = [a for k, a in enumerate(labels) if k not in (first, second)] + [label]
    return x, labels


def _contracted(parts: Sequence[tuple[Any, Sequence[str]]], output: Sequence[str]) -> Any:
    """The sum over all labels but those of the output, which are in that order."""
    parts = [(x, list(labels)) for x, labels in parts]
    while True:
        x, labels = parts.pop(0)
        later = {*output, *(a for _, more in parts for a in more)}
        x, labels = _summed(x, labels, later)
        if not parts:
            return ops.permute(x, dims=tuple(labels.index(a) for a in output))
        w, of_w = parts.pop(0)
        needed = {*output, *(a for _, more in parts for a in more)}
        w, of_w = _summed(w, of_w, {*labels, *needed})
        of_y = [a for a in dict.fromkeys((*labels, *of_w)) if a in needed]
        if not parts:
            of_y = list(output)
        y = ops.contract(x, w, of_a="".join(labels), of_b="".join(of_w), of_y="".join(of_y))
        parts.insert(0, (y, of_y))


def _summed(x: Any, labels: Sequence[str], needed: set[str]) -> tuple[Any, list[str]]:
    """x summed over the labels that nobody needs."""
    gone = tuple(k for k, label in enumerate(labels) if label not in needed)
    if gone:
        x = ops.sum(x, dim=gone)
    return x, [label for label in labels if label in needed]
