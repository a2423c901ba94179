"""Losses with a margin: of pairs and triplets of vectors, and of classes.

`reduction` and its old names are as in `losses`. At a kink the gradient of max(0, ..) is 1, unless
the class says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from . import functional as F
from .distance import PairwiseDistance
from .losses import Loss, WeightedLoss

__all__ = [
    "CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "SoftMarginLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip


# --- Pairs and triplets -------------------------------------------------------------------------


class _PairLoss(Loss, function=F.margin_ranking_loss):
    margin: float = 0.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(  # type: ignore[override]
        self, input1: Tensor, input2: Tensor, target: Tensor
    ) -> Tensor:
        """The loss of the two inputs against the target."""
        return self._function(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_PairLoss, function=F.margin_ranking_loss):
    """max(0, margin − t (x1 − x2)): x1 should be larger where t = 1, x2 where t = −1.

    The three Tensors have the same number of axes and broadcast; RuntimeError otherwise.

    >>> loss = tc.nn.MarginRankingLoss(margin=1.0)
    >>> loss(tc.tensor([3.0]), tc.tensor([2.5]), tc.tensor([1.0]))
    tensor(0.5000)
    """


class CosineEmbeddingLoss(_PairLoss, function=F.cosine_embedding_loss):
    """1 − cos(x1, x2) where the target is 1, max(0, cos(x1, x2) − margin) where it is −1.

    Shapes (N, D), (N, D) and (N,); or (D,), (D,) and (). Raises RuntimeError for others.

    >>> loss = tc.nn.CosineEmbeddingLoss()
    >>> loss(tc.tensor([1.0, 0.0]), tc.tensor([0.0, 1.0]), tc.tensor(1))
    tensor(1.)
    """


class _Triplet(Loss):
    def __post_init__(self) -> None:
        margin: Any = self.margin  # a setting of each subclass
        if margin <= 0:
            raise ValueError(
                f"{type(self).__name__}: expected margin to be greater than 0, got {margin}"
            )


class TripletMarginLoss(_Triplet, function=F.triplet_margin_loss):
    """max(0, margin + d(anchor, positive) − d(anchor, negative)), with d a `PairwiseDistance`.

    Three Tensors (N, D) or (D,). `swap` takes d(positive, negative) where that is smaller than
    d(anchor, negative) (Balntas et al. 2016). Raises ValueError where `margin` is not positive.

    >>> a, p, n = tc.tensor([[0.0]]), tc.tensor([[1.0]]), tc.tensor([[3.0]])
    >>> tc.nn.TripletMarginLoss(margin=4.0)(a, p, n)
    tensor(2.)
    """

    margin: float = 1.0
    p: float = 2.0
    eps: float = 1e-6
    swap: bool = False
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def forward(  # type: ignore[override]
        self, anchor: Tensor, positive: Tensor, negative: Tensor
    ) -> Tensor:
        """The loss of each anchor between its positive and its negative."""
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap,
            reduction=self.reduction,
        )  # fmt: skip


class TripletMarginWithDistanceLoss(
    _Triplet, function=F.triplet_margin_with_distance_loss, kw_only=True
):
    """`TripletMarginLoss` with another distance: any function of two Tensors, or a Module.

    Raises ValueError where `margin` is not positive.

    >>> loss = tc.nn.TripletMarginWithDistanceLoss(distance_function=lambda a, b: (a - b).abs())
    >>> loss(tc.tensor([0.0]), tc.tensor([1.0]), tc.tensor([3.0]))
    tensor(0.)
    """

    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None
    margin: float = 1.0
    swap: bool = False
    reduction: str = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distance_function is None:
            self.distance_function = PairwiseDistance()

    def forward(  # type: ignore[override]
        self, anchor: Tensor, positive: Tensor, negative: Tensor
    ) -> Tensor:
        """The loss of each anchor between its positive and its negative."""
        return F.triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function,
            margin=self.margin, swap=self.swap, reduction=self.reduction,
        )  # fmt: skip


class HingeEmbeddingLoss(Loss, function=F.hinge_embedding_loss):
    """x where the target is 1, max(0, margin − x) where it is −1. x is usually a distance.

    Input and target have one shape.

    >>> tc.nn.HingeEmbeddingLoss()(tc.tensor([0.25, 0.25]), tc.tensor([1.0, -1.0]))
    tensor(0.5000)
    """

    margin: float = 1.0
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


# --- Classes ------------------------------------------------------------------------------------


class SoftMarginLoss(Loss, function=F.soft_margin_loss):
    """ln(1 + exp(−t x)), for targets t = ±1 of the shape of x.

    >>> tc.nn.SoftMarginLoss()(tc.tensor([0.0]), tc.tensor([1.0]))
    tensor(0.6931)
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class MultiMarginLoss(WeightedLoss, function=F.multi_margin_loss):
    """Σ_c weight[t] · max(0, margin − x[t] + x[c])ᵖ / C over the classes c other than the label t.

    x is (N, C) or (C,), the labels (N,) or (), `weight` (C,). At a kink the gradient is 0. Raises
    ValueError for p other than 1 and 2.

    >>> tc.nn.MultiMarginLoss()(tc.tensor([[0.0, 0.5]]), tc.tensor([1]))
    tensor(0.2500)
    """

    p: int = 1
    margin: float = 1.0
    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"

    def __post_init__(self) -> None:
        if self.p not in (1, 2):
            raise ValueError(f"only p == 1 and p == 2 supported, got {self.p}")


class MultiLabelMarginLoss(Loss, function=F.multilabel_margin_loss):
    """Σ max(0, 1 − x[t] + x[c]) / C over the labels t of a sample and the classes c that are no label.

    Input and target are (N, C) or (C,). The labels of a sample end at the first −1 of its target.

    >>> tc.nn.MultiLabelMarginLoss()(tc.tensor([[0.0, 0.5]]), tc.tensor([[1, -1]]))
    tensor(0.2500)
    """

    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"


class MultiLabelSoftMarginLoss(WeightedLoss, function=F.multilabel_soft_margin_loss):
    """The mean over C of −weight · (t ln σ(x) + (1 − t) ln σ(−x)), σ the sigmoid.

    Input and target, 0 or 1, are (N, C) or (C,); `weight` is (C,).

    >>> tc.nn.MultiLabelSoftMarginLoss()(tc.zeros(1, 2), tc.tensor([[0.0, 1.0]]))
    tensor(0.6931)
    """

    weight: Tensor | None = None
    size_average: bool | None = None
    reduce: bool | None = None
    reduction: str = "mean"
