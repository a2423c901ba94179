"""`torch.multiprocessing`: Python's `multiprocessing`, and `spawn`.

Tensors travel between processes as copies, unless `share_memory_` was called.
"""

from __future__ import annotations

import multiprocessing as _python
import sys
import time
import traceback
from multiprocessing import *  # noqa: F403
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from .distributed.environment import check_spawn, launched

__all__ = [*_python.__all__, "ProcessContext", "ProcessExitedException", "ProcessRaisedException",
           "get_sharing_strategy", "set_sharing_strategy", "spawn",
           "start_processes"]  # fmt: skip


class ProcessRaisedException(Exception):
    """A process of `spawn` raised: the text has its traceback."""

    def __init__(self, msg: str, error_index: int, error_pid: int):
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid = msg, error_index, error_pid


class ProcessExitedException(Exception):
    """A process of `spawn` ended without a result, for example by a signal."""

    def __init__(self, msg: str, error_index: int, error_pid: int, exit_code: int):
        super().__init__(msg)
        self.msg, self.error_index, self.error_pid = msg, error_index, error_pid
        self.exit_code = exit_code


def _run(fn: Any, index: int, args: tuple[Any, ...], errors: Any) -> None:
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.put(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes that `spawn` started."""

    def __init__(self, processes: list[Any], errors: list[Any]):
        self.processes, self._errors = processes, errors

    def pids(self) -> list[int]:
        """Their numbers."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait until one has failed, or all have ended: True.

        False after `timeout` seconds. ProcessRaisedException or ProcessExitedException if one failed;
        the others are then terminated.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            running = [p.sentinel for p in self.processes if p.is_alive()]
            if not running or any(p.exitcode for p in self.processes):
                break
            left = None if end is None else max(0.0, end - time.monotonic())
            if left == 0.0:
                return False
            wait(running, left)  # it may return just before `is_alive` knows
        for index, process in enumerate(self.processes):
            if process.exitcode:
                for other in self.processes:
                    other.terminate()
                for other in self.processes:
                    other.join(grace_period)
                self._fail(index, process)
        return True

    def _fail(self, index: int, process: Any) -> None:
        if not self._errors[index].empty():
            text = f"\n\n-- Process {index} terminated with the following error:\n"
            text += self._errors[index].get()
            raise ProcessRaisedException(text, index, process.pid)
        code = process.exitcode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        raise ProcessExitedException(
            f"process {index} terminated with {how}", index, process.pid, code
        )


def start_processes(
    fn: Any, args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """Run `fn(i, *args)` in `nprocs` processes, i from 0, and wait for them.

    With `join=False`, return their ProcessContext at once. `join` raises for one that failed.

    In a job of MPI, whose ranks are the processes, it calls `fn(rank, *args)` in this one: RuntimeError
    unless `nprocs` is the number of ranks on this machine.
    """
    job = launched()
    if job is not None and job.size > 1:
        check_spawn(job, nprocs)
        fn(job.local_rank, *args)
        return ProcessContext([], []) if not join else None
    context: Any = _python.get_context(start_method)
    processes, errors = [], []
    for index in range(nprocs):
        queue = context.SimpleQueue()
        process = context.Process(target=_run, args=(fn, index, args, queue), daemon=daemon)
        process.start()
        processes.append(process)
        errors.append(queue)
    started = ProcessContext(processes, errors)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Any, args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """Run `fn(i, *args)` in `nprocs` new processes, or as a rank of MPI. See `start_processes`."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)


_strategy = ["file_descriptor"]


def get_sharing_strategy() -> str:
    """The name that `set_sharing_strategy` set."""
    return _strategy[-1]


def set_sharing_strategy(new_strategy: str) -> None:
    """Set the name of a way to share memory, without effect. AssertionError for an unknown one."""
    if new_strategy not in ("file_descriptor", "file_system"):
        raise AssertionError(f"unknown sharing strategy: {new_strategy!r}")
    _strategy[:] = [new_strategy]


if not TYPE_CHECKING:
    from .compat.missing import not_here as _not_here

    _not_here(globals())
