"""Integer labels as indices into logits."""

from typing import Any

import numpy as np
from numpy import ndarray


def index_labels(
    target: ndarray, weight: ndarray | None, dtype: Any, ignore_index: int
) -> tuple[ndarray, tuple[ndarray, ...]]:
    """The weight of each label, and the index of its element in logits (N, C, ..).

    target (N, ..) holds classes, weight (C,) or None their weights. A label equal to `ignore_index`
    has the weight 0 and points to class 0.
    """
    own = target != ignore_index
    label = np.where(own, target, 0)
    if weight is not None:
        own = weight.astype(dtype, copy=False)[label] * own
    n, *others = np.ogrid[tuple(map(slice, target.shape))]
    return own.astype(dtype, copy=False), (n, label, *others)
