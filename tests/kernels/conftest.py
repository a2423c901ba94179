"""Both sets of kernels, and tuning with which small arrays take the paths of large ones."""

from contextlib import contextmanager

import pytest

from tinygrad_cnn import kernels
from tinygrad_cnn.kernels import threads
from tinygrad_cnn.kernels.vectorized import tuning, winograd

try:
    from tinygrad_cnn.kernels.compiled import tuning as compiled
except ImportError:
    compiled = None


@pytest.fixture(params=kernels.SETS, scope="module")
def k(request):
    """A set of kernels."""
    try:
        return kernels.load(request.param)
    except ImportError as error:
        pytest.skip(str(error))


BLOCKS = {
    "BLOCK_BYTES": 1, "BLOCK_PIXELS": 5, "SHARED_MULTIPLY_ADDS": 0, "TRANSPOSE_BYTES": 1,
    "BLOCK_TILES": 2, "WINOGRAD_CHANNELS": {3: 2, 5: 2}, "FILTER_TRANSFORM_TILES": -(10**6),
    "POOLING_PART_ELEMENTS": 5,
}  # fmt: skip
COMPILED_BLOCKS = {
    "SHARED_MULTIPLY_ADDS": 0, "STRIP_BYTES": 1, "TILES_BYTES": 1, "PANEL_TILES_AT_ONCE": 3,
    "WINOGRAD_CHANNELS": {3: 1, 5: 1}, "WINOGRAD_CHANNEL_PAIRS": 1, "BATCH_STRIP_BYTES": 1,
}  # fmt: skip


@contextmanager
def small_blocks(count=None):
    """Small arrays are split into many blocks, on as many threads."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in BLOCKS.items():
            patch.setattr(tuning, name, value)
        for name, value in COMPILED_BLOCKS.items() if compiled else ():
            patch.setattr(compiled, name, value)
        if count:
            patch.setattr(threads, "get_num_threads", lambda: count)
        winograd.is_faster.cache_clear()
        yield
    winograd.is_faster.cache_clear()


@pytest.fixture(params=[False, True], ids=["whole", "in blocks"], scope="module")
def in_blocks(request):
    """Each test runs on whole small arrays, and on many blocks on three threads."""
    if request.param:
        with small_blocks(3):
            yield
    else:
        yield
