"""BLAS on one thread, kernels called from several threads at once, and forks."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads

from .conftest import small_blocks
from .loops import arrays, close

vectorized = kernels.load("vectorized")


@pytest.fixture(params=[False, True], ids=["whole", "in blocks"], autouse=True, scope="module")
def blocks(request):
    """Small arrays are also split into many blocks. The number of threads does not change."""
    if request.param:
        with small_blocks():
            yield
    else:
        yield


def test_several_threads_at_once_and_blas_gets_its_threads_back():
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    before, inputs = threads.get_num_threads(), []
    for seed in range(4):
        x = arrays(seed, (6, 16 + seed, 40, 40), np.float32)
        inputs.append((x, arrays(seed, (32, 16 + seed, 3, 3), np.float32)))
    expected = [vectorized.conv2d(x, w, None, *how) for x, w in inputs]
    wrong = []

    def convolve(k):
        for _ in range(10):
            if not np.array_equal(vectorized.conv2d(*inputs[k], None, *how), expected[k]):
                wrong.append(k)

    callers = [threading.Thread(target=convolve, args=(k,)) for k in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong
    assert threads.get_num_threads() == before
    assert not threads.hold.counts


def test_overlapping_holds_restore_the_count_of_the_first():
    before = threads.get_num_threads()
    first, second = threads.one_blas_thread(), threads.one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert threads.get_num_threads() == before  # still limited, but known
    second.__exit__(None, None, None)
    assert threads.get_num_threads() == before
    if (blas := threads.openblas()) is not None:
        assert blas[0]() == before


def test_another_blas_works_on_one_thread(monkeypatch):
    monkeypatch.setattr(threads, "openblas", lambda: None)
    x, w = arrays(0, (4, 16, 20, 20)), arrays(1, (24, 16, 3, 3))
    how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
    y = vectorized.conv2d(x, w, None, *how)
    assert threads.get_num_threads() == 1
    close(y[1, 2, 3, 4], np.sum(x[1, :, 2:5, 3:6] * w[2]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_can_go_on():
    script = """
import os, numpy as np
from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads
from tinygrad_cnn.kernels.vectorized import tuning
vectorized = kernels.load("vectorized")
tuning.SHARED_MULTIPLY_ADDS = 0
x, w = np.ones((6, 16, 20, 20)), np.ones((16, 16, 3, 3))
how = (1, 1), ((1, 1), (1, 1)), (1, 1), 1
y = vectorized.conv2d(x, w, None, *how)
count = threads.get_num_threads()
with threads.one_blas_thread():  # as another thread may do at the moment of the fork
    child = os.fork()
    if child == 0:
        same = np.array_equal(vectorized.conv2d(x, w, None, *how), y)
        os._exit(0 if same and threads.get_num_threads() == count else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=60)
