"""Data parallelism over MPI, with `torch.distributed`'s names.

`mpiexec -n 4 python train.py`, or `python -m tinygrad_cnn.distributed.run -n 4 train.py`, starts four
processes. Each calls `init_process_group()` and wraps its model in `nn.parallel.
DistributedDataParallel`. The extra `distributed` installs MPI: `pip install 'tinygrad_cnn[distributed]'`.
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from . import batch_norm as batch_norm  # gives SyncBatchNorm its function
from .buckets import GradBucket as GradBucket
from .collectives import (
    ReduceOp as ReduceOp,
    all_gather as all_gather,
    all_gather_into_tensor as all_gather_into_tensor,
    all_reduce as all_reduce,
    barrier as barrier,
    broadcast as broadcast,
    gather as gather,
    reduce as reduce,
    reduce_scatter as reduce_scatter,
    reduce_scatter_tensor as reduce_scatter_tensor,
    scatter as scatter,
)
from .groups import (
    GroupMember as GroupMember,
    ProcessGroup as ProcessGroup,
    destroy_process_group as destroy_process_group,
    get_backend as get_backend,
    get_global_rank as get_global_rank,
    get_group_rank as get_group_rank,
    get_node_local_rank as get_node_local_rank,
    get_process_group_ranks as get_process_group_ranks,
    get_rank as get_rank,
    get_world_size as get_world_size,
    group as group,
    init_process_group as init_process_group,
    is_initialized as is_initialized,
    new_group as new_group,
)
from .messages import irecv as irecv, isend as isend, recv as recv, send as send
from .objects import (
    all_gather_object as all_gather_object,
    broadcast_object_list as broadcast_object_list,
    gather_object as gather_object,
    scatter_object_list as scatter_object_list,
)
from .work import Work as Work


def is_available() -> bool:
    """True: one process needs nothing, and `init_process_group` says what several need.

    >>> tc.distributed.is_available()
    True
    """
    return True


def is_mpi_available() -> bool:
    """Whether mpi4py is installed."""
    return importlib.util.find_spec("mpi4py") is not None


def is_gloo_available() -> bool:
    """False: MPI does its work."""
    return False


def is_nccl_available() -> bool:
    """False: there is no GPU."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether `python -m tinygrad_cnn.distributed.run` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


if not TYPE_CHECKING:
    from ..compat.missing import not_here as _not_here

    _not_here(globals())
