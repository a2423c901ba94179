"""The transport over MPI, by mpi4py.

MPI waits in a loop that takes a whole core. So each collective first waits until all ranks have
arrived: a nonblocking barrier, tested with pauses. Then data moves at full speed, in a blocking call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..engine.dtypes import NARROW

SPIN_SECONDS = 50e-6  # ranks that arrive together do not pay for a pause
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 20e-6, 1e-3
LOOK_SECONDS = 0.1  # between looks for ranks that have left
LEAVING = 1  # the tag of the message "I am leaving"


def poll(ended: Callable[[], bool], look: Callable[[], None] = lambda: None) -> None:
    """Wait until `ended()`: some microseconds in a loop, then with growing pauses."""
    spin = time.perf_counter() + SPIN_SECONDS
    while not ended():
        if time.perf_counter() > spin:
            break
    else:
        return
    pause, due = FIRST_PAUSE_SECONDS, time.perf_counter() + LOOK_SECONDS
    while not ended():
        time.sleep(pause)
        pause = min(2 * pause, LAST_PAUSE_SECONDS)
        if time.perf_counter() > due:
            look()
            due = time.perf_counter() + LOOK_SECONDS


class Job:
    """All processes of the job: their communicator, and which of them have left."""

    def __init__(self) -> None:
        try:
            from mpi4py import MPI
        except ImportError as error:  # also where mpi4py finds no MPI library
            raise ImportError(
                "tinygrad_cnn.distributed needs mpi4py and an MPI library: "
                f"pip install 'tinygrad_cnn[distributed]' ({error})"
            ) from None
        self.MPI = MPI
        self.world = MPI.COMM_WORLD.Dup()
        self.control = MPI.COMM_WORLD.Dup()
        for comm in (self.world, self.control):
            comm.Set_errhandler(MPI.ERRORS_RETURN)  # mpi4py raises them
        self.left: set[int] = set()
        self.process = os.getpid()

    def abort(self, code: int = 1) -> None:
        """End all processes of the job. A forked child does nothing."""
        if os.getpid() == self.process:
            self.MPI.COMM_WORLD.Abort(code)

    def leave(self) -> None:
        """Tell all ranks that this one makes no more calls, and wait until all have said so."""
        if os.getpid() != self.process or self.MPI.Is_finalized():
            return
        nothing = np.empty(0, np.uint8)
        others = [r for r in range(self.control.size) if r != self.control.rank]
        sent = [self.control.Isend(nothing, r, LEAVING) for r in others]
        done = self.control.Ibarrier()

        def ended() -> bool:
            self.look()
            return bool(done.Test())

        poll(ended)
        for request in sent:
            request.Wait()  # `look` has taken the message of each rank

    def look(self) -> None:
        """Note which ranks have left."""
        status = self.MPI.Status()
        while self.control.Iprobe(self.MPI.ANY_SOURCE, LEAVING, status):
            self.control.Recv(np.empty(0, np.uint8), status.source, LEAVING)
            self.left.add(status.source)


class MPITransport:
    """A communicator of MPI as a `Transport`. `members` are the ranks in the whole job."""

    def __init__(self, job: Job, comm: Any, members: Sequence[int], debug: bool, timeout: float):
        self._job, self._comm, self._members, self._debug = job, comm, list(members), debug
        self._timeout = timeout
        self.rank, self.size = comm.rank, comm.size
        self._errors = job.MPI.Exception

    def wait(self, ended: Callable[[], bool], what: str) -> None:
        """Wait with pauses. RuntimeError if a rank of this group has left, or in a forked child."""
        if os.getpid() != self._job.process:
            raise RuntimeError(f"{what}: a forked process is not a member of its parent's group")

        start = time.monotonic()

        def look() -> None:
            self._job.look()
            if time.monotonic() - start > self._timeout:
                raise RuntimeError(
                    f"{what}: rank {self._members[self.rank]} has waited for the others for "
                    f"{self._timeout} seconds, the timeout of init_process_group"
                )
            gone = sorted(self._job.left & set(self._members))
            if gone and not ended():
                raise RuntimeError(
                    f"{what}: rank {self._members[self.rank]} waits for rank {gone[0]}, whose program "
                    "has ended"
                )

        poll(ended, look)

    def arrive(self, what: str, details: Any = ()) -> None:
        """Wait for all ranks; in debug mode, RuntimeError if their calls differ."""
        self.wait(self._comm.Ibarrier().Test, what)
        if self._debug:
            calls = self._comm.allgather((what, details))
            for other, call in enumerate(calls):
                if call != calls[0]:
                    ranks = self._members[0], self._members[other]
                    raise RuntimeError(
                        "ranks disagree: " + ", ".join(
                            f"rank {r} calls {name} of {said}"
                            for r, (name, said) in zip(ranks, (calls[0], call), strict=True)
                        )
                    )  # fmt: skip

    def _run(self, what: str, function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except self._errors as error:
            raise RuntimeError(
                f"{what} failed on rank {self._members[self.rank]}: {error}. If the ranks' shapes or "
                "dtypes differ, TINYGRAD_CNN_DISTRIBUTED_DEBUG=1 names both"
            ) from None

    def all_reduce(self, x: ndarray, op: str) -> None:
        """x ← the reduction of all x."""
        if x.dtype.char in NARROW:
            self._narrow(x, op)
            return
        reduction = getattr(self._job.MPI, _NAMES.get(op, op))
        self._run("all_reduce", self._comm.Allreduce, self._job.MPI.IN_PLACE, x, reduction)
        if op == "AVG":
            np.divide(x, x.dtype.type(self.size), out=x)

    def _narrow(self, x: Any, op: str) -> None:
        """The same for 16-bit floats, which MPI does not know: each rank reduces a part in float32.

        So 16 bits of each number travel, twice, as in a ring.
        """
        count = -(-x.size // self.size)
        mine = np.zeros((self.size, count), x.dtype)
        mine.reshape(-1)[: x.size] = x.reshape(-1)
        theirs = np.empty_like(mine)
        self.all_to_all(mine, theirs)
        wide = theirs.astype(np.float32)
        part = getattr(np, _NUMPYS[op])(wide, axis=0)
        self.all_gather(part.astype(x.dtype), mine)
        x.reshape(-1)[...] = mine.reshape(-1)[: x.size]

    def reduce(self, x: ndarray, op: str, root: int) -> None:
        """x of `root` ← the reduction of all x."""
        if x.dtype.char in NARROW:
            whole = x.copy()
            self._narrow(whole, op)
            if self.rank == root:
                x[...] = whole
            return
        reduction = getattr(self._job.MPI, _NAMES.get(op, op))
        at_root = self.rank == root
        given = self._job.MPI.IN_PLACE if at_root else x
        self._run("reduce", self._comm.Reduce, given, x if at_root else None, reduction, root)
        if op == "AVG" and at_root:
            np.divide(x, x.dtype.type(self.size), out=x)

    def broadcast(self, x: ndarray, root: int) -> None:
        """x ← x of `root`."""
        self._run("broadcast", self._comm.Bcast, _bytes(x), root)

    def all_gather(self, x: ndarray, out: ndarray) -> None:
        """out[r] ← x of rank r."""
        self._run("all_gather", self._comm.Allgather, _bytes(x), _bytes(out))

    def all_to_all(self, x: ndarray, out: ndarray) -> None:
        """out[r] ← x[this rank] of rank r."""
        self._run("all_to_all", self._comm.Alltoall, _bytes(x), _bytes(out))

    def gather(self, x: ndarray, out: ndarray | None, root: int) -> None:
        """out[r] of `root` ← x of rank r."""
        self._run(
            "gather", self._comm.Gather, _bytes(x), None if out is None else _bytes(out), root
        )

    def scatter(self, x: ndarray | None, out: ndarray, root: int) -> None:
        """out ← x[this rank] of `root`."""
        self._run(
            "scatter", self._comm.Scatter, None if x is None else _bytes(x), _bytes(out), root
        )

    def gather_objects(self, value: bytes) -> list[bytes]:
        """The values of all ranks."""
        return self._comm.allgather(value)

    def send(self, x: ndarray, to: int, tag: int) -> Callable[[], bool]:
        """Begin to send; in debug mode, a description first."""
        if self._debug:
            self._comm.send((x.shape, str(x.dtype)), to, tag)
        return self._comm.Isend(_bytes(x), to, tag).Test

    def receive(self, x: ndarray, source: int | None, tag: int) -> Callable[[], bool]:
        """Begin to receive. The result raises RuntimeError if another size was sent."""
        MPI = self._job.MPI
        status = MPI.Status()
        source = MPI.ANY_SOURCE if source is None else source
        if self._debug:
            self.wait(lambda: self._comm.Iprobe(source, tag, status), "recv")
            source = status.source
            shape, dtype = self._comm.recv(source=source, tag=tag)
            if (shape, dtype) != (x.shape, str(x.dtype)):
                raise RuntimeError(
                    f"recv: rank {self._members[source]} sent {shape} of {dtype}, rank "
                    f"{self._members[self.rank]} expects {x.shape} of {x.dtype}"
                )
        request = self._comm.Irecv(_bytes(x), source, tag)

        def ended() -> bool:
            done = self._run("recv", request.Test, status)
            if done:
                ended.source = status.source  # type: ignore[attr-defined]
                got = status.Get_count(MPI.BYTE)
                if got != x.nbytes:
                    raise RuntimeError(
                        f"recv: rank {self._members[status.source]} sent {got} bytes, rank "
                        f"{self._members[self.rank]} expects {x.nbytes}: {x.shape} of {x.dtype}"
                    )
            return done

        return ended

    def part(self, ranks: Sequence[int] | None) -> MPITransport | None:
        """The communicator of these ranks of this group; of all for None."""
        ranks = range(self.size) if ranks is None else ranks
        self.arrive("new_group", tuple(ranks))
        inside = self.rank in ranks
        color = 0 if inside else self._job.MPI.UNDEFINED
        comm = self._comm.Split(color, ranks.index(self.rank) if inside else 0)
        if inside:
            comm.Set_errhandler(self._job.MPI.ERRORS_RETURN)
        members = [self._members[r] for r in ranks]
        return (
            MPITransport(self._job, comm, members, self._debug, self._timeout) if inside else None
        )


_NAMES = {"PRODUCT": "PROD", "AVG": "SUM"}  # of MPI's reductions
_NUMPYS = {"SUM": "sum", "AVG": "mean", "PRODUCT": "prod", "MIN": "min", "MAX": "max"}


def _bytes(x: ndarray) -> ndarray:
    """The memory of a C-contiguous array: MPI need not know the dtype."""
    return x.reshape(-1).view(np.uint8)
