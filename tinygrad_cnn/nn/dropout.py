"""Dropout layers. In evaluation they return their input.

The masks come from the default random generator.
"""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .settings import FunctionModule

__all__ = [
    "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
]  # fmt: skip


class _Dropout(FunctionModule, function=F.dropout, shown=("p", "inplace")):
    p: float = 0.5
    inplace: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {self.p}")

    def forward(self, input: Tensor) -> Tensor:
        """In training, the input with elements or channels dropped."""
        return self._function(input, self.p, self.training, self.inplace)


class Dropout(_Dropout, function=F.dropout):
    """In training, sets each element to 0 with probability p and divides the others by 1 − p.

    Any shape; the dtype stays. Raises ValueError for p outside [0, 1].

    >>> sorted(set(tc.nn.Dropout(0.75)(tc.ones(100)).tolist()))
    [0.0, 4.0]
    >>> tc.nn.Dropout().eval()(tc.ones(3))
    tensor([1., 1., 1.])
    """


class Dropout1d(_Dropout, function=F.dropout1d):
    """In training, sets each channel to 0 with probability p and divides the others by 1 − p.

    Shape (N, C, L) or (C, L). Raises ValueError for p outside [0, 1].

    >>> y = tc.nn.Dropout1d()(tc.ones(8, 4, 3))
    >>> sorted(set(y.sum(2).flatten().tolist()))
    [0.0, 6.0]
    """


class Dropout2d(_Dropout, function=F.dropout2d):
    """In training, sets each channel to 0 with probability p and divides the others by 1 − p.

    Shape (N, C, H, W) or (C, H, W). Raises ValueError for p outside [0, 1].

    >>> y = tc.nn.Dropout2d()(tc.ones(5, 8, 3, 3))
    >>> sorted(set(y.sum((2, 3)).flatten().tolist()))
    [0.0, 18.0]
    """


class Dropout3d(_Dropout, function=F.dropout3d):
    """In training, sets each channel to 0 with probability p and divides the others by 1 − p.

    Shape (N, C, D, H, W) or (C, D, H, W). Raises ValueError for p outside [0, 1].

    >>> y = tc.nn.Dropout3d()(tc.ones(5, 8, 1, 2, 2))
    >>> sorted(set(y.sum((2, 3, 4)).flatten().tolist()))
    [0.0, 8.0]
    """


class AlphaDropout(_Dropout, function=F.alpha_dropout):
    """Dropout that keeps mean 0 and variance 1 of the outputs of SELU (Klambauer et al. 2017).

    Any shape. In training each element becomes −1.7581 with probability p; then all are scaled and
    shifted. Raises ValueError for p outside [0, 1].

    >>> len(set(tc.nn.AlphaDropout()(tc.zeros(100)).tolist()))
    2
    """


class FeatureAlphaDropout(_Dropout, function=F.feature_alpha_dropout):
    """`AlphaDropout` of whole channels of (N, C, ..).

    Raises ValueError for p outside [0, 1].

    >>> y = tc.nn.FeatureAlphaDropout()(tc.zeros(8, 4, 3))
    >>> y.equal(y[:, :, :1].expand(8, 4, 3))
    True
    """
