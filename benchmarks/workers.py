"""Workers: each contestant runs in its own process, one block of calls at a time.

Contestants take turns, so that a change of load on the machine affects all of them. In separate
processes none shares threads, allocator or settings with another.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import sys
import time
import traceback
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

from .contestants import CONTESTANTS, Contestant

ANSWER_SECONDS = 900.0  # a worker that gives no answer by then has failed
WARM_UP_SHARE = 1 / 5  # of a block, uncounted: threads that slept while others ran wake up


def number(value: Any) -> float:
    """The result of a call, a number or a Tensor of one element, as a float."""
    return float(value.detach() if hasattr(value, "detach") else value)


class LocalWorker:
    """A contestant in this process; a `measure.Worker`."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant

    def prepare(self, workload: str, arguments: dict[str, Any], threads: int | None) -> float:
        """Make the call, and run it twice to compile and fill caches. Returns the first result."""
        self.run = None  # frees the previous one
        gc.collect()
        self.run = self.contestant.make(workload, arguments, threads)
        value = number(self.run())
        self.run()
        return value

    def time_block(self, seconds: float) -> float:
        """The median seconds of one call, over a block of calls, at least one.

        Calls for a fifth of the time come first and do not count. They wake threads that slept
        while others ran: the first meeting of the threads can take as long as a turn of the
        scheduler.
        """
        times: list[float] = []
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds * WARM_UP_SHARE:
            self.run()
        begin = time.perf_counter()
        while not times or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            self.run()
            times.append(time.perf_counter() - start)
        return median(times)

    def memory_rise(self, workload: str, arguments: dict[str, Any], threads: int | None) -> float:
        """MiB by which two calls raise the resident memory of a fresh process (Linux only).

        Memory that is held before does not count: code, parameters, images. Gradients do. The same
        workload with two images runs first, to load and compile code.
        """
        self.contestant.make(workload, smaller(arguments), threads)()
        run = self.contestant.make(workload, arguments, threads)
        gc.collect()
        if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            libc.malloc_trim(0)  # else the calls reuse memory that the small workload freed
        before = _status("VmRSS")
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")  # resets the high-water mark
        run()
        run()
        return _status("VmHWM") - before

    def close(self) -> None:
        """Free the call."""
        self.run = None


def smaller(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments for at most two images, or for a graph of at most ten ops."""
    less = dict(arguments)
    if "shape" in less:
        less["shape"] = (min(2, less["shape"][0]), *less["shape"][1:])
    if "length" in less:
        less["length"] = min(10, less["length"])
    return less


def _status(name: str) -> float:
    """A field of this process's status, in MiB."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(name)) / 1024


class ProcessWorker:
    """A contestant in a separate process; a `measure.Worker`.

    Raises RuntimeError for an error there, with the first line of its message, for a process that
    ends, and for an answer that takes more than `seconds`.
    """

    def __init__(self, contestant: Contestant, seconds: float = ANSWER_SECONDS) -> None:
        self.seconds = seconds
        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(contestant.name, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def _ask(self, method: str, *arguments: Any) -> float:
        try:
            self.connection.send((method, arguments))
            if not self.connection.poll(self.seconds):
                self.process.terminate()
                raise RuntimeError(f"no answer within {self.seconds:.0f} s")
            done, answer = self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join(5)
            raise RuntimeError(f"the process ended with {self.process.exitcode}") from error
        if not done:
            raise RuntimeError(answer)
        return answer

    def prepare(self, workload: str, arguments: dict[str, Any], threads: int | None) -> float:
        """As `LocalWorker.prepare`."""
        return self._ask("prepare", workload, arguments, threads)

    def time_block(self, seconds: float) -> float:
        """As `LocalWorker.time_block`."""
        return self._ask("time_block", seconds)

    def memory_rise(self, workload: str, arguments: dict[str, Any], threads: int | None) -> float:
        """As `LocalWorker.memory_rise`."""
        return self._ask("memory_rise", workload, arguments, threads)

    def close(self) -> None:
        """End the process."""
        self.connection.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()


def _serve(name: str, connection: Connection) -> None:
    """Answer requests until the other end is closed."""
    worker = LocalWorker(CONTESTANTS[name])
    while True:
        try:
            method, arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = True, getattr(worker, method)(*arguments)
        except Exception as error:
            print(traceback.format_exc(), file=sys.stderr)
            answer = False, f"{type(error).__name__}: {error}".splitlines()[0][:200]
        connection.send(answer)
