"""In-place writes: the clock of shared memory."""

import gc

import tinygrad_cnn as tc
from tinygrad_cnn.engine import writes


def test_writes_are_forgotten_when_their_storage_dies():
    gc.collect()
    before = len(writes.written)
    for _ in range(100):
        tc.ones(3).add_(1.0)
    assert len(writes.written) == before
