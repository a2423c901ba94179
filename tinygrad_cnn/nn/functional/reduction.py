"""Reductions of losses: the mean or the sum over the elements, or none."""

from __future__ import annotations

import warnings
from typing import Any

from ... import functions

REDUCTIONS = ("none", "mean", "sum")


def legacy_reduction(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that PyTorch's two old arguments mean, with a warning; else `reduction`."""
    if size_average is None and reduce is None:
        return reduction
    mean = size_average is None or size_average
    meant = "none" if reduce is not None and not reduce else "mean" if mean else "sum"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.",
        stacklevel=3,
    )
    return meant


def check_reduction(reduction: str) -> None:
    """ValueError for a word that is no reduction."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction: none, mean or sum")


def reduced(loss: Any, reduction: str) -> Any:
    """The loss of each element, or their mean or sum."""
    check_reduction(reduction)
    if reduction == "none":
        return loss
    return functions.sum(loss) if reduction == "sum" else functions.mean(loss)
