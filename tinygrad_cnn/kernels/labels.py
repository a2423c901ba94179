"""Integer labels as indices into logits."""

import numpy as np


def index_labels(target, weight, dtype, ignore_index):
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
