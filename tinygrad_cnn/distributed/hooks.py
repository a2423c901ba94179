"""Hooks of DistributedDataParallel that send gradients in 16 bits."""

from __future__ import annotations

from typing import Any

from ..dtypes import bfloat16, float16
from .buckets import GradBucket
from .collectives import ReduceOp, all_reduce
from .groups import member
from .work import Future

__all__ = ["allreduce_hook", "bf16_compress_hook", "fp16_compress_hook"]


def _average(group: Any, bucket: GradBucket, dtype: Any) -> Future:
    """The average of the gradients, rounded to `dtype` while they travel."""
    sent = bucket.buffer() if dtype is None else bucket.buffer().to(dtype)
    work: Any = all_reduce(sent, ReduceOp.AVG, group, async_op=True)
    return work.get_future().then(lambda future: bucket.buffer().copy_(future.value()[0]))


def allreduce_hook(process_group: Any, bucket: GradBucket) -> Future:
    """Average as without a hook."""
    return _average(member(process_group), bucket, None)


def fp16_compress_hook(process_group: Any, bucket: GradBucket) -> Future:
    """Average in float16, with half the bytes: `register_comm_hook(None, fp16_compress_hook)`.

    Sums are formed in float32. Gradients below 6e-8 become 0, and above 65,504 infinite.
    """
    return _average(member(process_group), bucket, float16)


def bf16_compress_hook(process_group: Any, bucket: GradBucket) -> Future:
    """Average in bfloat16: the range of float32, with 8 bits of precision."""
    return _average(member(process_group), bucket, bfloat16)
