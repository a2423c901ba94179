"""Child processes that start in milliseconds, from a server that has imported the package."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["tests.soak.scenarios"])


def start(act: Callable[..., None], *arguments: Any) -> Any:
    """The Process that calls `act`, a function of a module, in a child."""
    child = context.Process(target=act, args=arguments, daemon=True)
    child.start()
    return child


def kill(child: Any) -> None:
    """SIGKILL, and wait for the end."""
    child.kill()
    child.join()
    child.close()
