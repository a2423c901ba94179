"""The named tuples that functions with several results return. They print as PyTorch's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..tensor import Tensor


def _text(results: tuple[Tensor, ...], fields: tuple[str, ...]) -> str:
    name = type(results).__name__.removesuffix("Result").replace("Linalg", "linalg_").lower()
    parts = ",\n".join([f"{f}={x!r}" for f, x in zip(fields, results, strict=True)])
    return f"torch.return_types.{name}(\n{parts})"


class ValuesAndIndices(NamedTuple):
    """Some elements along an axis, and the index of each."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return _text(self, self._fields)


class MaxResult(ValuesAndIndices):
    """The maxima along an axis, and the index of each."""

    __slots__ = ()


class MinResult(ValuesAndIndices):
    """The minima along an axis, and the index of each."""

    __slots__ = ()


class MedianResult(ValuesAndIndices):
    """The medians along an axis, and the index of each."""

    __slots__ = ()


class KthvalueResult(ValuesAndIndices):
    """The k-th smallest elements along an axis, and the index of each."""

    __slots__ = ()


class ModeResult(ValuesAndIndices):
    """The most frequent elements along an axis, and the index of each."""

    __slots__ = ()


class SortResult(ValuesAndIndices):
    """The elements in order, and where each of them was."""

    __slots__ = ()


class TopkResult(ValuesAndIndices):
    """The largest or smallest elements, and where each of them was."""

    __slots__ = ()


class AminmaxResult(NamedTuple):
    """The minima and the maxima."""

    min: Tensor
    max: Tensor

    def __repr__(self) -> str:
        return _text(self, self._fields)


class SlogdetResult(NamedTuple):
    """The sign of determinants, and the logarithm of their absolute values."""

    sign: Tensor
    logabsdet: Tensor

    def __repr__(self) -> str:
        return _text(self, self._fields)


class LinalgSlogdetResult(SlogdetResult):
    """The same, of torch.linalg."""

    __slots__ = ()


class LinalgEighResult(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor

    def __repr__(self) -> str:
        return _text(self, self._fields)


class LinalgQrResult(NamedTuple):
    """A matrix with orthonormal columns, and an upper triangle."""

    Q: Tensor
    R: Tensor

    def __repr__(self) -> str:
        return _text(self, self._fields)
