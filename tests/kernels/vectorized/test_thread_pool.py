"""Python threads that share blocks of work."""

import pytest

from tinygrad_cnn.kernels import threads as blas
from tinygrad_cnn.kernels.vectorized import thread_pool


@pytest.mark.parametrize("threads", [1, 3])
def test_run_calls_each_block_once_and_raises_what_was_raised(threads):
    seen = []
    thread_pool.run(seen.append, range(50), threads)
    assert sorted(seen) == list(range(50))

    def fail(block):
        if block == 30:
            raise KeyError(block)

    for _ in range(20):
        with pytest.raises(KeyError):
            thread_pool.run(fail, range(50), threads)
    assert not blas.hold.counts
