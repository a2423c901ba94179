"""Data parallelism over MPI, with `torch.distributed`'s names.

`mpiexec -n 4 python train.py`, or `python -m tinygrad_cnn.distributed.run -n 4 train.py`, starts four
processes. Each calls `init_process_group()` and wraps its model in `nn.parallel.
DistributedDataParallel`. The extra `distributed` installs MPI: `pip install 'tinygrad_cnn[distributed]'`.
"""
# ruff: noqa: F403

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from . import batch_norm as batch_norm  # gives SyncBatchNorm its function
from .buckets import GradBucket as GradBucket
from .collectives import *
from .groups import *
from .messages import *
from .objects import *
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
