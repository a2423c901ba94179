"""Leaves for the tests."""

import numpy as np

import tinygrad_cnn as tc


def leaf(*shape, dtype=tc.float64, seed=0):
    rng = np.random.default_rng(seed)
    return tc.tensor(rng.standard_normal(shape), dtype=dtype, requires_grad=True)
