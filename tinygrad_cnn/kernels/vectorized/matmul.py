"""The matrix product by BLAS, on our threads.

BLAS has its own threads, but after a call they spin for 20 ms, on cores that other threads need. So
BLAS is limited to one thread, and Python threads share large products.
"""

import numpy as np

from .. import threads, tuning as shared
from ..layout import NARROW
from . import tuning
from .blocks import split
from .thread_pool import run


def matmul(a, b):
    """By `np.matmul`, except in two cases where BLAS is faster in another form.

    float16 and bfloat16 are multiplied in float32. For an inner size of 1 (the weight gradient of
    one image) `np.matmul` calls no BLAS, but `np.dot` does. For few rows and a transposed b (a linear
    layer) BLAS computes bᵀaᵀ faster than ab.
    """
    if a.dtype.char in NARROW and a.dtype == b.dtype:
        return matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
    plain = a.ndim == b.ndim == 2 and a.dtype == b.dtype and a.dtype.char in "fd"
    few_rows = plain and len(a) in tuning.TRANSPOSED_PRODUCT_ROWS and a.shape[1] > 1
    if few_rows and b.strides[0] == b.itemsize:
        return np.ascontiguousarray(_on_threads(np.matmul, b.T, a.T).T)
    return _on_threads(np.dot if plain and a.shape[1] == 1 else np.matmul, a, b)


def _on_threads(product, a, b):
    """product(a, b); large ones by parts of the first axis on all threads."""
    multiply_adds = a.size * b.shape[-1]
    if multiply_adds <= tuning.BLAS_THREAD_MULTIPLY_ADDS:
        return product(a, b)
    small = multiply_adds < shared.SHARED_PRODUCT_MULTIPLY_ADDS
    if small or not a.ndim >= b.ndim > 1 or len(a) == 1:
        with threads.one_blas_thread():
            return product(a, b)
    batched, count = b.ndim == a.ndim > 2 and len(b) > 1, threads.get_num_threads()
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    y = np.empty(shape, np.result_type(a, b))
    run(
        lambda part: product(a[part], b[part] if batched else b, out=y[part]),
        split(len(a), count),
        count,
    )
    return y
