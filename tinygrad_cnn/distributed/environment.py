"""Rank and number of processes, from the environment that an MPI launcher made.

Scripts for `torchrun` read RANK, LOCAL_RANK and WORLD_SIZE. Under `mpiexec` these are set from the
launcher's variables when this room is imported, where nothing has set them before.
"""

from __future__ import annotations

import os
from typing import NamedTuple

# Of each launcher: rank, size, rank on this machine, ranks on this machine.
_LAUNCHERS = (
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),  # MPICH, Intel MPI, srun
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
     "OMPI_COMM_WORLD_LOCAL_SIZE"),  # Open MPI
)  # fmt: skip
COMMAND = "python -m tinygrad_cnn.distributed.run -n {} {}"


class Launched(NamedTuple):
    """The place of this process in a job."""

    rank: int
    size: int
    local_rank: int
    local_size: int


def launched() -> Launched | None:
    """What the MPI launcher says of this process; None without a launcher.

    >>> launched() is None
    True
    """
    for names in _LAUNCHERS:
        rank, size, *local = (os.environ.get(name) for name in names)
        if rank is not None and size is not None:
            first, count = local if None not in local else (rank, size)
            return Launched(int(rank), int(size), int(first or 0), int(count or 1))
    return None


def export(place: Launched) -> None:
    """Set torchrun's variables that are not set yet."""
    for name, value in {
        "RANK": place.rank,
        "WORLD_SIZE": place.size,
        "LOCAL_RANK": place.local_rank,
        "LOCAL_WORLD_SIZE": place.local_size,
        "GROUP_RANK": 0,
        "MASTER_ADDR": "localhost",  # MPI knows its own addresses: scripts only read these
        "MASTER_PORT": 0,
    }.items():
        os.environ.setdefault(name, str(value))


def check(rank: int, size: int, given_rank: int = -1, given_size: int = -1) -> None:
    """RuntimeError if arguments or torchrun's variables differ from MPI's `rank` and `size`.

    Otherwise each process would train alone, without a word.
    """
    for what, ours, given, name in (
        ("world size", size, given_size, "WORLD_SIZE"),
        ("rank", rank, given_rank, "RANK"),
    ):
        wanted = str(given) if given >= 0 else os.environ.get(name, str(ours))
        if wanted != str(ours):
            source = f"{what.replace(' ', '_')}={given}" if given >= 0 else f"{name}={wanted}"
            command = COMMAND.format(given if given > 0 else wanted, "train.py")
            raise RuntimeError(
                f"init_process_group: {source}, but MPI started this process as rank {rank} of {size}. "
                f"Start all processes with one command, for example `{command}`"
            )


def check_spawn(place: Launched, processes: int) -> None:
    """RuntimeError for `spawn` of another number of processes than the ranks of this machine."""
    if processes != place.local_size:
        command = COMMAND.format(processes, "train.py")
        raise RuntimeError(
            f"spawn: nprocs={processes}, but MPI started {place.local_size} processes on this machine, "
            f"which are the ones that spawn uses. Start {processes}, for example by `{command}`"
        )


_place = launched()
if _place is not None:
    export(_place)
