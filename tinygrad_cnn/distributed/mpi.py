"""The transport over MPI, by mpi4py.

MPI waits in a loop that takes a whole core. So a collective of few bytes is a nonblocking call, which is
tested with pauses. One of many bytes first waits in this way until all ranks have arrived. Then data
moves at full speed, in a blocking call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from ..engine.dtypes import NARROW
from .transport import Transport

SPIN_SECONDS = 50e-6  # ranks that arrive together do not pay for a pause
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 20e-6, 1e-3
LOOK_SECONDS = 0.1  # between looks for ranks that have left
SMALL_BYTES = 1 << 15  # messages that move in a few steps
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


class MPITransport(Transport):
    """A communicator of MPI. `members` are the ranks in the whole job."""

    def __init__(
        self, job: Job, comm: Any, members: Sequence[int], debug: bool, timeout: float
    ):  # fmt: skip
        comm.Set_errhandler(job.MPI.ERRORS_RETURN)  # mpi4py raises them
        self._job, self._comm, self._members = job, comm, list(members)
        self._debug, self._timeout = debug, timeout
        self.rank, self.size = comm.rank, comm.size

    def wait(self, ended: Callable[[], bool], what: str) -> None:
        """Wait with pauses. RuntimeError if a rank of this group has left, or in a forked child."""
        if os.getpid() != self._job.process:
            raise RuntimeError(f"{what}: a forked process is not a member of its parent's group")
        me, start = self._members[self.rank], time.monotonic()

        def look() -> None:
            self._job.look()
            gone = sorted(self._job.left & set(self._members))
            if gone and not ended():
                raise RuntimeError(
                    f"{what}: rank {me} waits for rank {gone[0]}, whose program has ended"
                )
            if time.monotonic() - start > self._timeout:
                raise RuntimeError(
                    f"{what}: rank {me} has waited for the others for {self._timeout} seconds, the "
                    "timeout of init_process_group"
                )

        poll(ended, look)

    def agree(self, what: str, details: Any = ()) -> None:
        """In debug mode, RuntimeError if another rank makes another call, or has other details."""
        if not self._debug:
            return
        self.arrive(what)
        calls = [
            f"rank {rank} calls {call[0]} of {call[1]}"
            for rank, call in zip(
                self._members, self._comm.allgather((what, details)), strict=True
            )
        ]  # fmt: skip
        for call in calls[1:]:
            if call.partition(" calls ")[2] != calls[0].partition(" calls ")[2]:
                raise RuntimeError(f"ranks disagree: {calls[0]}, {call}")

    def arrive(self, what: str) -> None:
        """Wait for all ranks."""
        self.wait(self._comm.Ibarrier().Test, what)

    def _run(self, name: str, nbytes: int, *args: Any) -> None:
        """The collective of this name in MPI."""
        try:
            if nbytes <= SMALL_BYTES:
                self.wait(getattr(self._comm, "I" + name.lower())(*args).Test, name)
            else:
                self.arrive(name)
                getattr(self._comm, name)(*args)
        except self._job.MPI.Exception as error:
            raise RuntimeError(
                f"{name} failed on rank {self._members[self.rank]}: {error}. If the ranks' shapes or "
                "dtypes differ, TINYGRAD_CNN_DISTRIBUTED_DEBUG=1 names both"
            ) from None

    def all_reduce(self, x: ndarray, op: str) -> None:
        """x ← the reduction of all x, divided by their number for AVG."""
        if x.dtype.char in NARROW:
            self._narrow(x, op)
            return
        reduction = getattr(self._job.MPI, _OF_MPI.get(op, op))
        self._run("Allreduce", x.nbytes, self._job.MPI.IN_PLACE, x, reduction)
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
        self._run("Alltoall", mine.nbytes, _bytes(mine), _bytes(theirs))
        part = getattr(np, _OF_NUMPY[op])(theirs.astype(np.float32), axis=0)
        self.all_gather(part.astype(x.dtype), mine)
        x.reshape(-1)[...] = mine.reshape(-1)[: x.size]

    def broadcast(self, x: ndarray, root: int) -> None:
        """x ← x of `root`."""
        self._run("Bcast", x.nbytes, _bytes(x), root)

    def all_gather(self, x: ndarray, out: ndarray) -> None:
        """out[r] ← x of rank r."""
        self._run("Allgather", out.nbytes, _bytes(x), _bytes(out))

    def gather_objects(self, value: bytes) -> list[bytes]:
        """The values of all ranks."""
        self.arrive("gather_objects")
        return self._comm.allgather(value)

    def send(self, x: ndarray, to: int, tag: int) -> Callable[[], bool]:
        """Begin to send; in debug mode, a description first."""
        if self._debug:
            self._comm.send((x.shape, str(x.dtype), x.nbytes), to, tag)
        return self._comm.Isend(_bytes(x), to, tag).Test

    def receive(self, x: ndarray, source: int | None, tag: int) -> Callable[[], bool]:
        """Begin to receive. The result raises RuntimeError if another size was sent."""
        MPI, comm, me = self._job.MPI, self._comm, self._members[self.rank]
        status, source = MPI.Status(), MPI.ANY_SOURCE if source is None else source
        request = None if self._debug else comm.Irecv(_bytes(x), source, tag)

        def wrong(sent: Any) -> RuntimeError:
            other = self._members[status.source]
            wanted = f"{x.nbytes} bytes: {x.shape} of {x.dtype}"
            return RuntimeError(f"recv: rank {other} sent {sent}, rank {me} expects {wanted}")

        def ended() -> bool:
            nonlocal request
            if request is None:  # the description comes first
                if not comm.Iprobe(source, tag, status):
                    return False
                shape, dtype, nbytes = comm.recv(source=status.source, tag=tag)
                fits = (shape, dtype) == (x.shape, str(x.dtype))
                y = _bytes(x) if fits else np.empty(nbytes, np.uint8)
                request = comm.Irecv(y, status.source, tag)
                if not fits:
                    request.Wait()
                    raise wrong(f"{shape} of {dtype}")
            try:
                done = request.Test(status)
            except MPI.Exception as error:
                raise RuntimeError(f"recv failed on rank {me}: {error}") from None
            if done:
                ended.source = status.source  # type: ignore[attr-defined]
                if status.Get_count(MPI.BYTE) != x.nbytes:
                    raise wrong(f"{status.Get_count(MPI.BYTE)} bytes")
            return done

        return ended

    def part(self, ranks: Sequence[int]) -> MPITransport | None:
        """The communicator of these ranks of this group."""
        self.agree("new_group", tuple(ranks))
        self.arrive("new_group")
        inside = self.rank in ranks
        color = 0 if inside else self._job.MPI.UNDEFINED
        comm = self._comm.Split(color, ranks.index(self.rank) if inside else 0)
        members = [self._members[r] for r in ranks]
        rest = members, self._debug, self._timeout
        return MPITransport(self._job, comm, *rest) if inside else None


_OF_MPI = {"PRODUCT": "PROD", "AVG": "SUM"}
_OF_NUMPY = {"SUM": "sum", "AVG": "mean", "PRODUCT": "prod", "MIN": "min", "MAX": "max"}


def _bytes(x: ndarray) -> ndarray:
    """The memory of a C-contiguous array: MPI need not know the dtype."""
    return x.reshape(-1).view(np.uint8)
