"""Dropout layers."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .settings import FunctionModule

__all__ = [
    "AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout",
]  # fmt: skip


class _Dropout(FunctionModule, function=F.dropout, shown=("p", "inplace")):
    p: float = 0.5
    inplace: bool = False

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not 0 <= self.p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {self.p}")

    def forward(self, input: Any) -> Any:
        """The input, in training with some of it dropped."""
        return self._function(input, self.p, self.training, self.inplace)


class Dropout(_Dropout, function=F.dropout):
    """In training each element is 0 with probability p, else divided by 1 - p.

    Raises ValueError for p outside [0, 1].
    """


class Dropout1d(_Dropout, function=F.dropout1d):
    """In training each channel of (N, C, L) or (C, L) is 0 with probability p, else over 1 - p."""


class Dropout2d(_Dropout, function=F.dropout2d):
    """In training each channel of (N, C, H, W) is 0 with probability p, else divided by 1 - p.

    >>> import tinygrad_cnn as tc
    >>> y = tc.nn.Dropout2d()(tc.ones(5, 8, 3, 3))
    >>> sorted(set(y.sum((2, 3)).reshape(-1).tolist()))
    [0.0, 18.0]
    """


class Dropout3d(_Dropout, function=F.dropout3d):
    """In training each channel of (N, C, D, H, W) or one without N is 0 with probability p, else
    divided by 1 - p.
    """


class AlphaDropout(_Dropout, function=F.alpha_dropout):
    """Dropout that keeps the mean 0 and the variance 1 of what SELU makes."""


class FeatureAlphaDropout(_Dropout, function=F.feature_alpha_dropout):
    """AlphaDropout of whole channels of (N, C, ..)."""
