"""A rank that fails ends the whole job: without it, the others would wait forever."""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

FORWARD_SECONDS = 0.2  # within which launchers pass on what a rank has printed


def let_out() -> None:
    """Give the launcher time to pass on what was printed: after an abort it may not."""
    sys.stdout.flush()
    sys.stderr.flush()
    time.sleep(FORWARD_SECONDS)


def guard(job: Any, last: Callable[[], None]) -> None:
    """Let an exception that nothing catches, in any thread, end the job. Its traceback comes first.

    A program that just ends, by `sys.exit` for example, says so to the other ranks: these raise where
    they would wait for it. `last` is called before that.
    """
    before, before_in_threads = sys.excepthook, threading.excepthook

    def end(kind: type[BaseException]) -> None:
        rank, size = job.world.rank, job.world.size
        print(f"rank {rank} of {size} failed ({kind.__name__}): the job ends", file=sys.stderr)
        let_out()
        job.abort(130 if issubclass(kind, KeyboardInterrupt) else 1)  # 130: as a shell says Ctrl-C

    def hook(kind: type[BaseException], value: BaseException, trace: Any) -> None:
        before(kind, value, trace)
        end(kind)

    def in_thread(args: Any) -> None:
        before_in_threads(args)
        if not issubclass(args.exc_type, SystemExit):
            end(args.exc_type)

    sys.excepthook, threading.excepthook = hook, in_thread
    atexit.register(job.leave)
    atexit.register(last)  # which comes first
