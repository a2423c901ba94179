"""Threads that load batches ahead, in order."""

from __future__ import annotations

import _thread as _thread_module
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

from ...engine import is_grad_enabled, set_grad_enabled
from ...random import Generator, drawing_from


@dataclass
class WorkerInfo:
    """The worker that runs: its `id`, the number of workers, its seed, and its data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Thread(threading.local):
    info: WorkerInfo | None = None


_thread = _Thread()


def get_worker_info() -> WorkerInfo | None:
    """The worker of a DataLoader that loads a batch in this thread; in other threads None.

    >>> get_worker_info() is None
    True
    """
    return _thread.info


_END: Any = object()  # the result of a job that there is not: the one before was the last


class Ahead:
    """Threads that load jobs ahead. A job comes from `pull()`, which raises StopIteration at the end.

    Job k is loaded by `load(job, k, info.dataset)`. At most `bound` jobs are started and not yet
    delivered. Each thread first calls `init(id)`.
    """

    def __init__(
        self,
        pull: Callable[[], Any],
        load: Callable[[Any, int, Any], Any],
        infos: list[WorkerInfo],
        bound: int,
        init: Callable[[int], Any] | None,
        timeout: float,
    ):
        self._pull, self._load, self._bound, self._init = pull, load, bound, init
        self._timeout, self._recording = timeout or None, is_grad_enabled()
        self._process = os.getpid()
        self._pulling = threading.Lock()  # only workers take it: they see no KeyboardInterrupt
        self._pulled, self._ended = 0, False  # jobs; whether no more are pulled
        self._wait = False  # whether the end waits for the threads
        # Queues in C: an interrupt finds no lock of theirs held.
        self._begun: SimpleQueue[Exception | None] = SimpleQueue()
        self._room: SimpleQueue[bool] = (
            SimpleQueue()
        )  # True for each job that may start, last False
        self._results: SimpleQueue[tuple[int, bool, Any]] = SimpleQueue()  # job number, success
        self._threads = [
            threading.Thread(target=self._work, args=(i,), name=f"DataLoader-{i.id}", daemon=True)
            for i in infos
        ]

    def batches(self) -> Iterator[Any]:
        """The results of the jobs, in order. The first error, of a job or of `pull`, ends it."""
        done: dict[int, tuple[bool, Any]] = {}
        try:
            _thread_module.start_new_thread(self._begin, ())
            self._wait = True
            error = self._begun.get()
            if error is not None:
                raise error
            for taken in count():
                self._check_process()
                self._receive(taken, done)
                well, result = done.pop(taken)
                if result is _END:
                    return
                self._room.put(True)
                if not well:
                    raise result
                yield result
                result = None
        finally:
            self._ended = True
            self._room.put(False)
            if self._wait and self._process == os.getpid():
                self._begun.get()  # all have started: there is a second report
                self._join()

    def _receive(self, taken: int, done: dict[int, Any]) -> None:
        """Wait until `done` has the result of job `taken`."""
        deadline = time.monotonic() + (self._timeout or 0)
        while taken not in done:
            left = max(deadline - time.monotonic(), 0) if self._timeout else None
            try:
                number, *result = self._results.get(timeout=left)
            except Empty:
                self._wait = False  # a thread hangs: the end does not wait for it
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds") from None
            done[number] = result

    def _begin(self) -> None:
        """Start the threads, or those that the system allows; the error if that is none.

        This runs in a thread of its own: an interrupt of `Thread.start` could leave a lock held.
        """
        error = None
        for k, thread in enumerate(self._threads):
            try:
                thread.start()
            except Exception as failed:
                del self._threads[k:]
                error = None if k else failed
                break
        for _ in range(self._bound):
            self._room.put(True)
        for _ in range(2):  # one for the end, whether or not an interrupt lost the first
            self._begun.put(error)

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise RuntimeError(
                "this iterator of a DataLoader was made before a fork: its workers are threads of the "
                "parent. Begin a new one in the child, with iter(loader)"
            )

    def _join(self) -> None:
        # called in one of these threads (by the garbage collector), it must not wait for itself
        if threading.current_thread() not in self._threads:
            for thread in self._threads:
                thread.join()

    def _next(self) -> tuple[int, Any] | None:
        """The number of the next job and the job; None at the end."""
        self._room.get()
        with self._pulling:  # numbers follow the order of the jobs
            number = self._pulled
            if self._ended:
                self._room.put(False)  # for the next worker
                return None
            try:
                job = self._pull()
            except StopIteration:
                self._finish(number, True, _END, last=True)
            except BaseException as error:
                self._pulled += 1
                self._finish(number, False, error, last=True)
            else:
                self._pulled += 1
                return number, job
        return None

    def _finish(self, number: int, well: bool, result: Any, last: bool = False) -> None:
        if last:
            self._ended = True
            self._room.put(False)
        self._results.put((number, well, result))

    def _work(self, info: WorkerInfo) -> None:
        with set_grad_enabled(self._recording):  # the grad mode is thread-local
            if self._init is not None:
                _thread.info = info
                try:
                    with drawing_from(Generator().manual_seed(info.seed)):
                        self._init(info.id)
                except BaseException as error:
                    with self._pulling:
                        number, self._pulled = self._pulled, self._pulled + 1
                    self._finish(number, False, error, last=True)
                    return
            while True:
                _thread.info = None  # the jobs are one stream, of no worker
                job = self._next()
                if job is None:
                    return
                _thread.info = info
                try:
                    result = self._load(job[1], job[0], info.dataset)
                except BaseException as error:
                    error.add_note(f"(in DataLoader worker {info.id}, batch {job[0]})")
                    self._finish(job[0], False, error, last=True)
                    return
                self._finish(job[0], True, result)
