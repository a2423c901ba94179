"""One thread: what a thread takes of the work, or calls for it, is chance."""

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
