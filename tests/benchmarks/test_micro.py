"""Kernels alone: each has a case, runs, and has its share of the peak."""

import numpy as np
import pytest

from benchmarks import micro
from tinygrad_cnn import kernels


def test_every_kernel_has_a_case():
    with_case = {c.arguments["function"] for c in micro.CASES if c.work == "kernel"}
    assert with_case == set(kernels.FUNCTIONS)


SMALLER = {
    **dict.fromkeys(micro._CONVS, ((2, 4, 6, 6), 8, 3, 1, 2)),
    **dict.fromkeys(micro._POOLS, ((2, 3, 6, 6), 2)),
    "matmul": (2, 3, 4), "elementwise": ("gradient of GELU", 2, 3),
    **dict.fromkeys(micro._NORMS, (2, 3, 4, 5)), **dict.fromkeys(micro._SOFTMAXES, (3, 5)),
    "blockwise": (2, 3), **dict.fromkeys(micro._RECURRENT, (3, 2, 4)),
}  # fmt: skip


@pytest.mark.parametrize("function", sorted(SMALLER))
def test_kernels_run_alone(function):
    assert np.isfinite(micro.call(kernels, function, SMALLER[function])())


def test_share_of_the_peak():
    case = micro.Case("", "kernel", {}, flops=2.0 * micro.PRODUCT**3, moved=8.0 * micro.COPIED / 2)
    bound = micro.share(case, seconds=4.0, product=2.0, copy=1.0)
    assert (bound.share, bound.bound) == (0.5, "matmul")
    bound = micro.share(case, seconds=4.0, product=0.2, copy=2.0)
    assert (bound.share, bound.bound) == (0.25, "copy")
    assert bound.gflops == pytest.approx(case.flops / 4e9)
