"""One thread: the division of work between threads, and so the counts, vary by chance."""

import importlib.util

import pytest

from tinygrad_cnn import kernels

SETS = ["vectorized", pytest.param("compiled", marks=pytest.mark.skipif(
    not importlib.util.find_spec("numba"), reason="needs numba"))]  # fmt: skip


@pytest.fixture(params=SETS)
def kernel_set(request):
    before, threads = kernels.current(), kernels.get_num_threads()
    kernels.use(request.param)
    kernels.set_num_threads(1)
    yield request.param
    kernels.set_num_threads(threads)
    kernels.use(before)
