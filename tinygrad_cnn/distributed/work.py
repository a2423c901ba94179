"""Calls that run in the background: `Work`, and the thread that runs the works of a group in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any


class Work:
    """A call that was begun with `async_op=True`, by `isend` or by `irecv`. `wait()` ends it."""

    def __init__(self, function: Callable[[], Any], results: Any = None):
        self._function: Any = function
        self._results = results
        self._error: BaseException | None = None
        self._done = threading.Event()

    def run(self) -> None:
        """Make the call, in this thread."""
        try:
            self._function()
        except BaseException as error:  # raised by `wait`, where the caller sees it
            self._error = error
        self._function = None
        self._done.set()

    def wait(self, timeout: Any = None) -> bool:
        """Wait for the end. Raises the exception of the call. True."""
        seconds = timeout.total_seconds() if hasattr(timeout, "total_seconds") else timeout
        if not self._done.wait(seconds):
            raise RuntimeError(f"Work.wait: not completed after {seconds} seconds")
        if self._error is not None:
            raise self._error
        return True

    def is_completed(self) -> bool:
        """Whether the call has ended."""
        return self._done.is_set()

    def is_success(self) -> bool:
        """Whether it ended without an exception."""
        return self.is_completed() and self._error is None

    def exception(self) -> BaseException | None:
        """The exception of the call."""
        return self._error

    def result(self) -> Any:
        """The list of Tensors that the call wrote."""
        return self._results

    def get_future(self) -> Future:
        """The same as a Future."""
        return Future(lambda: self.wait() and self._results)


class Future:
    """A value that `wait()` gives: what hooks of DistributedDataParallel return."""

    def __init__(self, result: Callable[[], Any]):
        self._result: Any = result
        self._value: Any = None

    def wait(self) -> Any:
        """The value, once it is there."""
        if self._result is not None:
            self._value = self._result()
            self._result = None
        return self._value

    value = wait

    def then(self, callback: Callable[[Future], Any]) -> Future:
        """A Future of `callback(self)`, which is called by its `wait`."""
        return Future(lambda: callback(self))


class Message(Work):
    """One `isend` or `irecv`: MPI moves it itself, so it needs no thread."""

    def __init__(
        self,
        ended: Callable[[], bool],
        wait: Callable[[Callable[[], bool]], None],
        last: Callable[[], None] = lambda: None,
        memory: Any = None,
    ):
        super().__init__(last)
        self._ended, self._wait, self._memory = ended, wait, memory  # MPI has only its address

    def wait(self, timeout: Any = None) -> bool:
        """Wait for the end. True."""
        if not self._done.is_set():
            self._wait(self._ended)
            self.run()
        return super().wait(timeout)

    def is_completed(self) -> bool:
        """Whether the message has moved."""
        if not self._done.is_set() and self._ended():
            self.run()
        return self._done.is_set()

    def source_rank(self) -> int:
        """The rank in the group that sent it, after `wait`."""
        return self._ended.source  # type: ignore[attr-defined]


class Background:
    """A thread that runs works in order. It starts with the first one."""

    def __init__(self) -> None:
        self._works: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._last: Work | None = None

    def submit(self, work: Work) -> Work:
        """Run it after all that came before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="distributed", daemon=True)
            self._thread.start()
        self._last = work
        self._works.put(work)
        return work

    def busy(self) -> bool:
        """Whether a work has not ended."""
        return self._last is not None and not self._last.is_completed()

    def end(self) -> None:
        """Run what is left, and end the thread."""
        if self._thread is not None:
            self._works.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (work := self._works.get()) is not None:
            work.run()
