"""Threads that load batches ahead, in order."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
        self._pulling, self._changed = threading.Lock(), threading.Condition()
        self._process = os.getpid()
        self._done: dict[int, tuple[bool, Any]] = {}  # job number → (success, result)
        self._pulled = self._taken = 0
        self._ended = False  # no more jobs are pulled
        self._threads = [
            threading.Thread(target=self._work, args=(i,), name=f"DataLoader-{i.id}", daemon=True)
            for i in infos
        ]

    def batches(self) -> Iterator[Any]:
        """The results of the jobs, in order. The first error, of a job or of `pull`, ends it."""
        wait = True
        try:
            self._start()
            while True:
                self._check_process()
                with self._changed:
                    if not self._changed.wait_for(self._ready, self._timeout):
                        wait = False  # a thread hangs: do not wait for it below
                        raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
                    if self._taken not in self._done:
                        return
                    well, result = self._done.pop(self._taken)
                    self._taken += 1
                    self._changed.notify_all()
                if not well:
                    raise result
                yield result
                result = None
        finally:
            if self._process == os.getpid():
                self._end(wait)

    def _start(self) -> None:
        """Start the threads, or those that the system allows. RuntimeError if that is none."""
        for k, thread in enumerate(self._threads):
            try:
                thread.start()
            except RuntimeError:
                del self._threads[k:]
                if not k:
                    raise
                return

    def _check_process(self) -> None:
        if self._process != os.getpid():
            raise RuntimeError(
                "this iterator of a DataLoader was made before a fork: its workers are threads of the "
                "parent. Begin a new one in the child, with iter(loader)"
            )

    def _end(self, wait: bool) -> None:
        """Have the threads end, and wait for that."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        # called in one of these threads (by the garbage collector), it must not wait for itself
        if wait and threading.current_thread() not in self._threads:
            for thread in self._threads:
                thread.join()

    def _ready(self) -> bool:
        return self._taken in self._done or (self._ended and self._taken >= self._pulled)

    def _room(self) -> bool:
        return self._ended or self._pulled - self._taken < self._bound

    def _next(self) -> tuple[int, Any] | None:
        """The number of the next job and the job; None at the end."""
        with self._pulling:  # numbers follow the order of the jobs
            with self._changed:
                self._changed.wait_for(self._room)
                if self._ended:
                    return None
                number = self._pulled
                self._pulled += 1
            try:
                return number, self._pull()
            except StopIteration:
                with self._changed:
                    self._pulled, self._ended = number, True
                    self._changed.notify_all()
                return None
            except BaseException as error:
                self._finish(number, False, error, last=True)
                return None

    def _finish(self, number: int, well: bool, result: Any, last: bool = False) -> None:
        with self._changed:
            self._done[number] = well, result
            self._ended |= last
            self._changed.notify_all()

    def _work(self, info: WorkerInfo) -> None:
        with set_grad_enabled(self._recording):  # the grad mode is thread-local
            if self._init is not None:
                _thread.info = info
                try:
                    with drawing_from(Generator().manual_seed(info.seed)):
                        self._init(info.id)
                except BaseException as error:
                    with self._pulling, self._changed:
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
