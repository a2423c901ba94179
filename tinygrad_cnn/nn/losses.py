"""Losses: a class for each function, whose settings are the arguments of that function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from . import functional as F
from .functional.reduction import legacy_reduction
from .settings import FunctionOf

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CosineEmbeddingLoss", "CosineSimilarity", "CrossEntropyLoss",
    "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss",
    "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss",
    "NLLLoss", "PairwiseDistance", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss",
    "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip

_BUFFERS = ("weight", "pos_weight")  # settings that are tensors: part of the state
_OLD = ("size_average", "reduce")  # how `reduction` was said long ago


class _Loss(FunctionOf):
    """`loss(*inputs)`: reduction is "mean" (the default), "sum" or "none".

    Inputs are the arguments of the function that have no default.
    """

    _keywords: ClassVar[tuple[str, ...]]
    reduction: str

    def __init_subclass__(
        cls, function: Callable[..., Any] | None = None, without: str = "", **kwargs: Any
    ):
        if function is not None:
            arguments = inspect.signature(function).parameters.values()
            settings = [p.name for p in arguments if p.default is not p.empty and p.name != without]
            inputs = sum(p.default is p.empty for p in arguments)
            kwargs |= {"inputs": inputs, "settings": tuple(settings), "shown": ()}
        super().__init_subclass__(function=function, **kwargs)
        cls._keywords = tuple(name for name in cls._settings if name not in _OLD)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in _BUFFERS:
            if name in self.__dict__:
                self.register_buffer(name, self.__dict__.pop(name))
        old = [self.__dict__.pop(name, None) for name in _OLD]
        self.reduction = legacy_reduction(self.reduction, *old)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The loss of the inputs: of input and target, as a rule."""
        settings = {name: getattr(self, name) for name in self._keywords}
        return self._function(*inputs, **named, **settings)


class CrossEntropyLoss(_Loss, function=F.cross_entropy):
    """-ln softmax(logits)[target], of logits (N, C, ..) and labels (N, ..) or probabilities.

    `weight` (C,) is that of each class. The mean divides by Σ weight[target] over what is not
    `ignore_index`.

    >>> import tinygrad_cnn as tc
    >>> tc.nn.CrossEntropyLoss()(tc.zeros(2, 10), tc.tensor([3, 7]))
    tensor(2.3026)
    """


# fmt: off
class BCELoss(_Loss, function=F.binary_cross_entropy): ...
class BCEWithLogitsLoss(_Loss, function=F.binary_cross_entropy_with_logits): ...
class CosineEmbeddingLoss(_Loss, function=F.cosine_embedding_loss): ...
class GaussianNLLLoss(_Loss, function=F.gaussian_nll_loss): ...
class HingeEmbeddingLoss(_Loss, function=F.hinge_embedding_loss): ...
class HuberLoss(_Loss, function=F.huber_loss, without="weight"): ...
class KLDivLoss(_Loss, function=F.kl_div): ...
class L1Loss(_Loss, function=F.l1_loss, without="weight"): ...
class MSELoss(_Loss, function=F.mse_loss, without="weight"): ...
class MarginRankingLoss(_Loss, function=F.margin_ranking_loss): ...
class MultiLabelMarginLoss(_Loss, function=F.multilabel_margin_loss): ...
class MultiLabelSoftMarginLoss(_Loss, function=F.multilabel_soft_margin_loss): ...
class NLLLoss(_Loss, function=F.nll_loss): ...
class PoissonNLLLoss(_Loss, function=F.poisson_nll_loss): ...
class SmoothL1Loss(_Loss, function=F.smooth_l1_loss): ...
class SoftMarginLoss(_Loss, function=F.soft_margin_loss): ...
# fmt: on


class MultiMarginLoss(_Loss, function=F.multi_margin_loss):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.p not in (1, 2):
            raise ValueError(f"only p == 1 and p == 2 supported, got {self.p}")


class _Triplet(_Loss):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.margin <= 0:
            raise ValueError(
                f"{type(self).__name__}: expected margin to be greater than 0, got {self.margin}"
            )


class TripletMarginLoss(_Triplet, function=F.triplet_margin_loss): ...


class TripletMarginWithDistanceLoss(_Triplet, function=F.triplet_margin_with_distance_loss):
    distance_function: Any

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        if self.distance_function is None:
            self.distance_function = PairwiseDistance()


class PairwiseDistance(FunctionOf, function=F.pairwise_distance, inputs=2, shown=()):
    """‖x1 - x2 + eps‖ along the last axis, by the p-norm."""

    def forward(self, x1: Any, x2: Any) -> Any:  # type: ignore[override]
        """The distances of x1 and x2, which broadcast."""
        return F.pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)


class CosineSimilarity(FunctionOf, function=F.cosine_similarity, inputs=2, shown=()):
    def forward(self, x1: Any, x2: Any) -> Any:  # type: ignore[override]
        """x1 · x2 / (‖x1‖ ‖x2‖) along `dim`."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
