"""Groups of processes: the default group of all, others, and the ranks in them."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from .. import kernels
from .environment import check, launched
from .faults import guard
from .transport import Transport
from .work import Background, Work

__all__ = [
    "GroupMember", "ProcessGroup", "destroy_process_group", "get_backend", "get_global_rank",
    "get_group_rank", "get_node_local_rank", "get_process_group_ranks", "get_rank", "get_world_size",
    "group", "init_process_group", "is_initialized", "new_group",
]  # fmt: skip

DEBUG = "TINYGRAD_CNN_DISTRIBUTED_DEBUG"
OWN_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # the user has chosen the threads
NO_GROUP = (
    "Default process group has not been initialized, please make sure to call init_process_group."
)
BACKENDS = ("mpi", "gloo", "nccl", "ucc", "xccl", "undefined")
METHODS = ("env://", "tcp://", "file://")


class ProcessGroup:
    """Some of the processes of a job. `ranks` are their ranks in the whole job."""

    def __init__(self, transport: Transport, ranks: Sequence[int]):
        self.transport, self.ranks = transport, list(ranks)
        self.background = Background()

    def rank(self) -> int:
        """The rank of this process in the group."""
        return self.transport.rank

    def size(self) -> int:
        """The number of processes."""
        return self.transport.size

    def name(self) -> str:
        """The name of the backend."""
        return "mpi"

    def run(
        self, function: Callable[[], Any], async_op: bool = False, results: Any = None
    ) -> Work | None:
        """Make a call after all earlier ones of this group: now, or in the background."""
        if self.size() == 1 or not (async_op or self.background.busy()):
            if not async_op:
                function()
                return None
            work = Work(function, results)
            work.run()
            return work
        work = self.background.submit(Work(function, results))
        if async_op:
            return work
        work.wait()
        return None

    def local(self, rank: int, what: str) -> int:
        """The rank in this group of a rank in the job. ValueError if it is not a member."""
        if rank not in self.ranks:
            members = f"has the ranks {self.ranks}"
            raise ValueError(f"{what}: Global rank {rank} is not part of group: this one {members}")
        return self.ranks.index(rank)


class _NotAMember:
    """What `new_group` returns where this process is not among the ranks."""

    def size(self) -> int:
        """0."""
        return 0


class GroupMember:
    """`GroupMember.NON_GROUP_MEMBER`: the group of a process that is not a member of it."""

    NON_GROUP_MEMBER = _NotAMember()


class _World(type):
    @property
    def WORLD(cls) -> ProcessGroup | None:
        """The group of all processes; None before `init_process_group`."""
        return _state.default


class group(metaclass=_World):
    """`group.WORLD`: the group of all processes."""


class _State:
    default: ProcessGroup | None = None
    groups: list[ProcessGroup] = []  # noqa: RUF012  # of one process
    job: Any = None  # MPI is started once
    said: set[str] = set()  # noqa: RUF012


_state = _State()


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: timedelta | None = None,
    world_size: int = -1, rank: int = -1, store: Any = None, group_name: str = "",
    pg_options: Any = None, device_id: Any = None,
) -> None:  # fmt: skip
    """Join all processes of this job in the default group. MPI connects them, whatever `backend` says.

    Without an MPI launcher there is one process, and MPI is not started. `init_method`, `store` and
    `device_id` have no effect. A call that waits longer than `timeout`, 30 minutes by default, raises.
    Kernels use the cores of this machine divided by its processes, unless OMP_NUM_THREADS or
    OPENBLAS_NUM_THREADS is set.

    RuntimeError if `rank` or `world_size`, or torchrun's RANK or WORLD_SIZE, differ from MPI's;
    ValueError for a second call, an unknown backend or an unknown `init_method`; ImportError without
    mpi4py under a launcher.

    >>> import tinygrad_cnn.distributed as dist
    >>> dist.init_process_group()
    >>> dist.get_rank(), dist.get_world_size()
    (0, 1)
    >>> dist.destroy_process_group()
    """
    if _state.default is not None:
        raise ValueError("trying to initialize the default process group twice!")
    names = [part.rpartition(":")[2] for part in (backend or "mpi").lower().split(",")]
    for name in names:
        if name not in BACKENDS:
            raise ValueError(f"Invalid backend: '{backend}': wanted one of {', '.join(BACKENDS)}")
    if init_method is not None and not init_method.startswith(METHODS):
        raise ValueError(f"No rendezvous handler for {init_method}: wanted {', '.join(METHODS)}")
    place = launched()
    check(*(place[:2] if place else (0, 1)), rank, world_size)
    transport = Transport()
    if (place is not None and place.size > 1) or "mpi4py.MPI" in sys.modules:
        from .mpi import Job, MPITransport  # only where there is MPI

        if _state.job is None:
            _state.job = Job()
            guard(_state.job, end_all)
        world = _state.job.world
        check(world.rank, world.size, rank, world_size)
        if place is not None and place.size != world.size:
            raise RuntimeError(
                f"init_process_group: the launcher started {place.size} processes, and MPI sees "
                f"{world.size}: mpiexec and mpi4py belong to different MPI libraries"
            )
        if world.size > 1:
            seconds = 1800.0 if timeout is None else timeout.total_seconds()
            members = list(range(world.size))
            debug = os.environ.get(DEBUG, "0") not in ("", "0")
            transport = MPITransport(_state.job, world, members, debug, seconds)
    others = [name for name in names if name not in ("mpi", "undefined")]
    if others and transport.size > 1 and transport.rank == 0 and others[0] not in _state.said:
        _state.said.add(others[0])
        warnings.warn(f"backend {others[0]!r} means MPI here", stacklevel=2)
    if place is not None and not any(name in os.environ for name in OWN_THREADS):
        share = max(1, (os.cpu_count() or 1) // place.local_size)
        if share < kernels.get_num_threads():
            kernels.set_num_threads(share)
    _state.default = ProcessGroup(transport, range(transport.size))
    _state.groups.append(_state.default)


def end_all() -> None:
    """Run the calls that are left in the background of every group, and end its thread."""
    for one in _state.groups:
        one.background.end()


def is_initialized() -> bool:
    """Whether there is a default group.

    >>> import tinygrad_cnn.distributed as dist
    >>> dist.is_initialized()
    False
    """
    return _state.default is not None


def member(group: Any = None) -> ProcessGroup:
    """The group, by default that of all. ValueError without one, or if this process is no member."""
    if group is None:
        if _state.default is None:
            raise ValueError(NO_GROUP)
        return _state.default
    if isinstance(group, _NotAMember):
        raise ValueError("Invalid process group specified: this process is not a member of it")
    if not isinstance(group, ProcessGroup):
        raise TypeError(f"group must be a ProcessGroup or None, got {type(group).__name__}")
    return group


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """End a group, by default all. AssertionError without one."""
    if group is None and _state.default is None:
        raise AssertionError("Process group cannot be None")
    ended = [g for g in _state.groups if group in (None, _state.default, g)]
    for one in ended:
        one.background.end()
        _state.groups.remove(one)
    if _state.default in ended:
        _state.default = None


def new_group(
    ranks: Sequence[int] | None = None, timeout: timedelta | None = None, backend: str | None = None,
    pg_options: Any = None, use_local_synchronization: bool = False, group_desc: str | None = None,
    device_id: Any = None, sort_ranks: bool = True,
) -> Any:  # fmt: skip
    """A group of some ranks. All processes call it, also those that are not among `ranks`.

    These get `GroupMember.NON_GROUP_MEMBER`. ValueError for ranks twice or out of range.
    """
    world = member()
    chosen = list(range(world.size())) if ranks is None else [int(r) for r in ranks]
    if len(set(chosen)) != len(chosen):
        raise ValueError(f"ranks list must not contain duplicate entries, got {chosen}")
    for one in chosen:
        if not 0 <= one < world.size():
            raise ValueError(
                f"Rank {one} is out of range. Valid ranks are 0 to {world.size() - 1} "
                f"(world_size={world.size()})"
            )
    chosen = sorted(chosen) if sort_ranks else chosen
    made: list[Transport | None] = []
    world.run(lambda: made.append(world.transport.part(chosen)))
    if made[0] is None:
        return GroupMember.NON_GROUP_MEMBER
    found = ProcessGroup(made[0], chosen)
    _state.groups.append(found)
    return found


def twin(group: ProcessGroup) -> ProcessGroup:
    """Another group of the same ranks, whose calls need no order with those of the first."""
    made: list[Any] = []
    group.run(lambda: made.append(group.transport.part(range(group.size()))))
    found = ProcessGroup(made[0], group.ranks)
    _state.groups.append(found)
    return found


def get_rank(group: Any = None) -> int:
    """The rank of this process in a group; -1 if it is no member."""
    return -1 if isinstance(group, _NotAMember) else member(group).rank()


def get_world_size(group: Any = None) -> int:
    """The number of processes in a group; -1 if this process is no member."""
    return -1 if isinstance(group, _NotAMember) else member(group).size()


def get_backend(group: Any = None) -> str:
    """ "mpi"."""
    return member(group).name()


def get_process_group_ranks(group: Any) -> list[int]:
    """The ranks of the members in the default group."""
    return list(member(group).ranks)


def get_group_rank(group: Any, global_rank: int) -> int:
    """The rank in `group` of a rank in the default group. ValueError if it is no member."""
    return member(group).local(global_rank, "get_group_rank")


def get_global_rank(group: Any, group_rank: int) -> int:
    """The rank in the default group of a rank in `group`. ValueError if there is none."""
    found = member(group)
    if not 0 <= group_rank < found.size():
        raise ValueError(f"Group rank {group_rank} is not part of group of {found.size()} ranks")
    return found.ranks[group_rank]


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """LOCAL_RANK, or `fallback_rank`. RuntimeError without both."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is None:
        raise RuntimeError(
            "LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow "
            "`get_node_local_rank` to work, assuming you are not running in a multi-device context."
        )
    return int(fallback_rank)
