"""Distances and angles between vectors."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .settings import FunctionModule

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(FunctionModule, function=F.pairwise_distance, shown=()):
    """‖x1 − x2 + eps‖ along the last axis, with the p-norm.

    Shapes (.., D) and (.., D), which broadcast → (..), or (.., 1) with `keepdim`.

    >>> tc.nn.PairwiseDistance(eps=0.0)(tc.tensor([[3.0, 4.0]]), tc.zeros(1, 2))
    tensor([5.])
    """

    p: float = 2.0
    eps: float = 1e-6
    keepdim: bool = False

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:  # type: ignore[override]
        """The distance of each pair of vectors."""
        return self._function(x1, x2, self.p, self.eps, self.keepdim)


class CosineSimilarity(FunctionModule, function=F.cosine_similarity, shown=()):
    """x1 · x2 / (‖x1‖ ‖x2‖) along axis `dim`, with each norm at least `eps`.

    The shapes broadcast; the output is without that axis.

    >>> tc.nn.CosineSimilarity()(tc.tensor([[1.0, 0.0]]), tc.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """

    dim: int = 1
    eps: float = 1e-8

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:  # type: ignore[override]
        """The cosine of the angle between each pair of vectors."""
        return self._function(x1, x2, self.dim, self.eps)
