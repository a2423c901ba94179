"""`torch.distributed` without processes: `is_available()` is False.

Scripts that ask first run in one process. Anything else is an error.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NoReturn


def is_available() -> bool:
    """False: there is one process.

    >>> tc.distributed.is_available(), tc.distributed.is_initialized()
    (False, False)
    """
    return False


is_initialized = is_gloo_available = is_mpi_available = is_nccl_available = is_available
is_torchelastic_launched = is_available


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """NotImplementedError: there is one process."""
    raise NotImplementedError(
        "distributed.init_process_group: training in several processes is not supported yet. Ask "
        "`distributed.is_available()` first, which is False, and train in one process"
    )


def get_rank(group: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    """ValueError: there is no group of processes."""
    raise ValueError(
        "Default process group has not been initialized, please make sure to call "
        "init_process_group. (Training in several processes is not supported yet.)"
    )


get_world_size = get_backend = barrier = destroy_process_group = new_group = get_rank
all_reduce = all_gather = broadcast = reduce = gather = scatter = reduce_scatter = get_rank
send = recv = isend = irecv = all_gather_object = gather_object = broadcast_object_list = get_rank


class ReduceOp(Enum):
    """How `all_reduce` joins Tensors: names for default arguments."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


class ProcessGroup:
    """A group of processes: a name for annotations. There is none."""


class group:
    """`group.WORLD`: the group of all processes. There is none."""

    WORLD = None
