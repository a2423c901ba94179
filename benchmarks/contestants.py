"""Who takes part: for each a name, what must be installed, and how it makes a call of a work.

A contestant runs in a process of its own (`seats`), so that what it sets there is its own affair.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from . import lenets, micro, works
from .works import Run

Make = Callable[..., Run]


@dataclass(frozen=True)
class Contestant:
    """`make(work, arguments, threads)` returns the call; `family` is whom a target is set against."""

    name: str
    family: str
    needs: tuple[str, ...]
    make: Make

    def there(self) -> bool:
        """Whether what it needs is installed."""
        return all(importlib.util.find_spec(module) is not None for module in self.needs)


IMAGE = 4  # channels, up to which an input is an image and has them apart
_threads: dict[str, int] = {}


def _default(library: str, get: Callable[[], int]) -> int:
    """How many threads the library has chosen itself: what it had when first asked."""
    return _threads.setdefault(library, get())


def _ours(kernel_set: str, work: str, arguments: dict[str, Any], threads: int | None) -> Run:
    import tinygrad_cnn as t
    from tinygrad_cnn import kernels

    kernels.use(kernel_set)
    default = _default("ours", kernels.get_num_threads)  # before anything is set
    kernels.set_num_threads(threads or default)
    if work == "kernel":
        return micro.call(kernels, **arguments)
    if work == "conv_layer" and arguments["shape"][1] > IMAGE:
        arguments = {**arguments, "channels_last": True}  # as a layer before leaves its output
    return getattr(works, work)(t, **arguments)


def _torch(how: dict[str, Any], work: str, arguments: dict[str, Any], threads: int | None) -> Run:
    import torch

    default = _default("torch", torch.get_num_threads)
    torch.set_num_threads(threads or default)
    return getattr(works, work)(torch, **arguments, **how)


def _compiled(work: str, arguments: dict[str, Any], threads: int | None) -> Run:
    import torch

    torch._dynamo.reset()  # else a second shape is compiled for all shapes
    return _torch({"wrap": torch.compile}, work, arguments, threads)


def _lenet(name: str, work: str, arguments: dict[str, Any], threads: int | None) -> Run:
    if (work, arguments.get("model")) != ("training_step", "lenet"):
        raise NotImplementedError(f"{name[5:]} has LeNet-5 alone, not {work} {arguments}")
    return getattr(lenets, name)(arguments["shape"])


def _peak(work: str, arguments: dict[str, Any], threads: int | None) -> Run:
    """The most that this machine does with NumPy: a large product, a copy from memory to memory."""
    if work == "product":
        a = np.ones((arguments["size"],) * 2, np.float32)
        out = np.empty_like(a)
        return lambda: np.matmul(a, a, out=out)[0, 0]
    source = np.ones((os.cpu_count() or 1, arguments["size"] // (os.cpu_count() or 1)), np.float32)
    copy = np.empty_like(source)
    pool = ThreadPoolExecutor(len(source))

    def run() -> Any:
        list(pool.map(np.copyto, copy, source))
        return copy[0, 0]

    return run


ALL = {
    c.name: c
    for c in (
        Contestant("vectorized", "ours", ("tinygrad_cnn",), partial(_ours, "vectorized")),
        Contestant("compiled", "ours", ("tinygrad_cnn", "numba"), partial(_ours, "compiled")),
        Contestant("torch", "PyTorch", ("torch",), partial(_torch, {})),
        Contestant("torch channels-last", "PyTorch", ("torch",),
                   partial(_torch, {"channels_last": True})),
        Contestant("torch.compile", "PyTorch", ("torch",), _compiled),
        Contestant("jax", "JAX", ("jax", "jaxlib"), partial(_lenet, "with_jax")),
        Contestant("autograd", "autograd", ("autograd",), partial(_lenet, "with_autograd")),
        Contestant("mygrad", "MyGrad", ("mygrad",), partial(_lenet, "with_mygrad")),
        Contestant("peak", "peak", (), _peak),
    )
}  # fmt: skip
OURS = ("vectorized", "compiled")
