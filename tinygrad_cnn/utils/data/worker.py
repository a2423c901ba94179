"""Threads that load batches ahead, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...engine import is_grad_enabled, set_grad_enabled
from ...random import Generator, drawing_from


@dataclass
class WorkerInfo:
    """What `get_worker_info` tells: the worker's number, of how many, its seed, its data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Thread(threading.local):
    info: WorkerInfo | None = None


_thread = _Thread()


def get_worker_info() -> WorkerInfo | None:
    """In a thread of a DataLoader, while it loads a batch, who it is; elsewhere None."""
    return _thread.info


class Ahead:
    """Threads that take jobs from `pull()`, one at a time, and `load` them, some jobs ahead.

    `pull()` raises StopIteration at the end. Job k is loaded as `load(job, k, info.dataset)`. At
    most `bound` jobs are begun and not yet handed out. `init(id)` is called first in each thread.
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
        self._done: dict[int, tuple[bool, Any]] = {}  # job number → whether it went well, result
        self._pulled = self._taken = 0
        self._ended = False  # no job is to be pulled any more
        self._threads = [
            threading.Thread(target=self._work, args=(i,), name=f"DataLoader-{i.id}", daemon=True)
            for i in infos
        ]

    def batches(self) -> Iterator[Any]:
        """What the jobs give, in order; the first error of a job, or of `pull`, ends it."""
        for thread in self._threads:
            thread.start()
        wait = True
        try:
            while True:
                with self._changed:
                    if not self._changed.wait_for(self._ready, self._timeout):
                        wait = False  # the thread hangs: do not hang with it
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
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            # in one of them only the garbage collector can have come here: it must not wait
            if wait and threading.current_thread() not in self._threads:
                for thread in self._threads:
                    thread.join()

    def _ready(self) -> bool:
        return self._taken in self._done or (self._ended and self._taken >= self._pulled)

    def _room(self) -> bool:
        return self._ended or self._pulled - self._taken < self._bound

    def _next(self) -> tuple[int, Any] | None:
        """The number of the next job and the job; None at the end."""
        with self._pulling:  # so that numbers are in the order of the jobs
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
        with set_grad_enabled(self._recording):  # the mode is each thread's own
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
                _thread.info = None  # one stream of jobs, whoever pulls
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
