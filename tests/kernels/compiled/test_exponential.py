"""The exponential of a vector."""

from itertools import pairwise

import numpy as np
import pytest

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels.compiled import exponential

INF, NAN = np.inf, np.nan

compiled = kernels.load("compiled")


FLOATS = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_exponential_errs_by_about_a_unit_in_the_last_place(dtype):
    info, rng = np.finfo(dtype), np.random.default_rng(0)
    end = np.log(float(info.smallest_subnormal)) - 2
    x = np.concatenate([
        rng.uniform(end, 0, 1 << 15), rng.uniform(-1, 0, 1 << 14),
        -np.exp(rng.uniform(-50, 3, 999)),
        np.log(2.0) * np.arange(end * 2, 1) / 2, [0, -0.0, -info.tiny, info.min, -INF, NAN],
    ]).astype(dtype)  # fmt: skip
    g = np.zeros((len(x), 2), dtype)
    g[:, 1] = -1  # 0 − eʸ Σ g
    y = compiled.log_softmax_input(g, np.stack([x, x], axis=1), 1)[:, 0]
    exact = np.exp(x.astype(np.longdouble if dtype == np.float64 else np.float64))
    unit = np.maximum(np.spacing(np.abs(exact.astype(dtype))), info.smallest_subnormal)
    assert np.isnan(y[-1])
    assert np.abs((y - exact) / unit)[:-1].max() < 1.1  # 0.93 if products and sums are rounded once
    assert y[-2] == y[-3] == 0
    assert (y[-6:-3] == 1).all()


def test_the_parts_of_ln_2():
    for size, (dtype, degree) in {4: (np.float32, 7), 8: (np.float64, 13)}.items():
        form = exponential.FORMATS[size]
        assert len(form.terms) == degree + 1
        assert all(a < b for a, b in pairwise(form.terms[:-1]))
        for k in range(int(form.least / np.log(2)) - 1, 1):  # exact products
            assert dtype(k) * dtype(form.high) == k * form.high
