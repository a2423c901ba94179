"""assert_no_leak: a function keeps no Tensor or node alive, even without the garbage collector."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..engine import Node, Recorded


def assert_no_leak(fn: Callable[[], object], *, calls: int = 3) -> None:
    """Check that calls of `fn` leave no more Tensors and graph nodes alive than there were before.

    The garbage collector is off during the calls, so a reference cycle counts as a leak. A first
    call, before the count, may fill caches or make the state of an optimizer. The results of `fn`
    are dropped.

    Raises AssertionError with a list of the leaked objects by type, op and shape; TypeError if `fn`
    cannot be called; and ValueError if `calls` is less than 1.

    >>> import tinygrad_cnn as tc
    >>> x = tc.ones(3, requires_grad=True)
    >>> def step():
    ...     (x * x).sum().backward()
    >>> assert_no_leak(step)
    >>> losses = []
    >>> assert_no_leak(lambda: losses.append((x * x).sum()))
    Traceback (most recent call last):
    AssertionError: after 3 calls of <lambda> there are 12 tensors and nodes more than before:
      3 × Tensor () float32
      3 × node mul (3,) float32
      3 × node sum () float32
    """
    if not callable(fn):
        raise TypeError(f"assert_no_leak: wanted a function, got {type(fn).__name__}")
    if calls < 1:
        raise ValueError(f"assert_no_leak: calls must be at least 1, got {calls}")
    with _collector_off():
        fn()
        before = _census()
        for _ in range(calls):
            fn()
        after = _census()
    more = after.total() - before.total()
    if more > 0:
        name = getattr(fn, "__name__", type(fn).__name__)
        stayed = sorted((after - before).items(), key=lambda item: (-item[1], item[0]))
        raise AssertionError(
            "\n".join(
                [
                    f"after {calls} calls of {name} there are {more} tensors and nodes more than "
                    "before:",
                    *(f"  {count} × {description}" for description, count in stayed),
                ]
            )
        )


@contextmanager
def _collector_off() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _census() -> Counter[str]:
    """The number of living tensors and nodes of each description."""
    # `isinstance` reads `__class__`, which may run code of other libraries.
    found = (x for x in gc.get_objects() if issubclass(type(x), (Recorded, Node)))
    return Counter(map(_describe, found))


def _describe(x: Recorded | Node) -> str:
    if isinstance(x, Node):
        kind = "leaf" if x.op is None else f"node {x.op.name}"
        return f"{kind} {x.shape} {x.dtype}"
    array = getattr(x, "_array", None)
    if array is None:
        return f"{type(x).__name__}, empty"
    return f"{type(x).__name__} {array.shape} {array.dtype}"
