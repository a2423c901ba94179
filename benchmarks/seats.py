"""Where a contestant sits: a process of its own, asked for one block of calls at a time.

Contestants take turns, so that all meet the same weather on a shared machine; apart, none has the
other's threads, allocator or settings in its process.
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

from .contestants import ALL, Contestant


def number(value: Any) -> float:
    """The result of a call, to compare."""
    return float(value.detach() if hasattr(value, "detach") else value)


class Seat:
    """A contestant in this process."""

    def __init__(self, contestant: Contestant):
        self.contestant = contestant

    def prepare(self, work: str, arguments: dict[str, Any], threads: int | None) -> float:
        """Make the call and make it twice, which compiles and fills caches: its first number."""
        self.run = None  # frees what was before
        gc.collect()
        self.run = self.contestant.make(work, arguments, threads)
        value = number(self.run())
        self.run()
        return value

    def block(self, seconds: float) -> float:
        """The median time of a call, of as many as take some such time; at least one.

        What runs before, uncounted, for a fifth of it, wakes threads that slept while others ran:
        their first meeting can take as long as a scheduler's turns.
        """
        times: list[float] = []
        begin = time.perf_counter()
        while time.perf_counter() - begin < seconds / 5:
            self.run()
        begin = time.perf_counter()
        while not times or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            self.run()
            times.append(time.perf_counter() - start)
        return median(times)

    def rise(self, work: str, arguments: dict[str, Any], threads: int | None) -> float:
        """MiB by which the resident memory rises over two calls, in a fresh process (Linux).

        What is there before (code, parameters, images) is not counted; gradients are. Code is loaded,
        and compiled, by the same work of two images first.
        """
        self.contestant.make(work, smaller(arguments), threads)()
        run = self.contestant.make(work, arguments, threads)
        gc.collect()
        if hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            libc.malloc_trim(0)  # what the small one left is not there to be used again
        before = _status("VmRSS")
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")  # resets the high-water mark
        run()
        run()
        return _status("VmHWM") - before

    def close(self) -> None:
        """Free what it holds."""
        self.run = None


def smaller(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same of at most two images, or of a graph of at most ten ops."""
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


class Apart:
    """A seat in a process of its own; what fails there is a RuntimeError here, with its last line."""

    def __init__(self, contestant: Contestant, seconds: float = 900):
        self.seconds = seconds  # until an answer that does not come is a failure
        spawn = multiprocessing.get_context("spawn")
        self.line, theirs = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(contestant.name, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def _ask(self, name: str, *arguments: Any) -> float:
        try:
            self.line.send((name, arguments))
            if not self.line.poll(self.seconds):
                self.process.terminate()
                raise RuntimeError(f"no answer in {self.seconds:.0f} s")
            done, answer = self.line.recv()
        except (EOFError, OSError) as error:
            self.process.join(5)
            raise RuntimeError(f"the process ended with {self.process.exitcode}") from error
        if not done:
            raise RuntimeError(answer)
        return answer

    def prepare(self, work: str, arguments: dict[str, Any], threads: int | None) -> float:
        """As Seat.prepare."""
        return self._ask("prepare", work, arguments, threads)

    def block(self, seconds: float) -> float:
        """As Seat.block."""
        return self._ask("block", seconds)

    def rise(self, work: str, arguments: dict[str, Any], threads: int | None) -> float:
        """As Seat.rise."""
        return self._ask("rise", work, arguments, threads)

    def close(self) -> None:
        """End the process."""
        self.line.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()


def _serve(name: str, line: Connection) -> None:
    """Answer until the other end is closed."""
    seat = Seat(ALL[name])
    while True:
        try:
            method, arguments = line.recv()
        except EOFError:
            return
        try:
            answer = True, getattr(seat, method)(*arguments)
        except Exception as error:
            print(traceback.format_exc(), file=sys.stderr)
            answer = False, f"{type(error).__name__}: {error}".splitlines()[0][:200]
        line.send(answer)
