"""Contestants: for each a name, the modules that it needs, and how it makes a call of a workload.

Each runs in its own process (`workers`), so its settings affect no other.
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

from . import lenets, micro, workloads
from .workloads import Run


@dataclass(frozen=True)
class Contestant:
    """One library in one configuration.

    `family` names the library that targets refer to. `needs` are the modules that must be
    installed. `make(workload, arguments, threads)` returns a call.
    """

    name: str
    family: str
    needs: tuple[str, ...]
    make: Callable[[str, dict[str, Any], int | None], Run]

    def installed(self) -> bool:
        """Whether all modules that it needs are installed."""
        return all(importlib.util.find_spec(module) is not None for module in self.needs)


MAX_IMAGE_CHANNELS = 4  # an input of more channels is the output of a layer, in its memory order
_default_threads: dict[str, int] = {}


def _threads(library: str, threads: int | None, get: Callable[[], int]) -> int:
    """The number of threads to set: `threads`, or the library's own choice when first asked."""
    default = _default_threads.setdefault(library, get())
    return threads or default


def _ours(kernel_set: str, workload: str, arguments: dict[str, Any], threads: int | None) -> Run:
    import tinygrad_cnn as t
    from tinygrad_cnn import kernels

    kernels.use(kernel_set)
    kernels.set_num_threads(_threads("ours", threads, kernels.get_num_threads))
    if workload == "kernel":
        return micro.call(kernels, **arguments)
    if workload == "conv_layer" and arguments["shape"][1] > MAX_IMAGE_CHANNELS:
        arguments = {**arguments, "channels_last": True}  # as a previous layer leaves its output
    return getattr(workloads, workload)(t, **arguments)


def _torch(
    options: dict[str, Any], workload: str, arguments: dict[str, Any], threads: int | None
) -> Run:
    import torch

    torch.set_num_threads(_threads("torch", threads, torch.get_num_threads))
    return getattr(workloads, workload)(torch, **arguments, **options)


def _torch_compile(workload: str, arguments: dict[str, Any], threads: int | None) -> Run:
    import torch

    torch._dynamo.reset()  # else it compiles a second shape for all shapes
    return _torch({"wrap": torch.compile}, workload, arguments, threads)


def _lenet(function: str, workload: str, arguments: dict[str, Any], threads: int | None) -> Run:
    if (workload, arguments.get("model")) != ("training_step", "lenet"):
        library = function.removeprefix("with_")
        raise NotImplementedError(f"{library} has LeNet-5 only, not {workload} {arguments}")
    return getattr(lenets, function)(arguments["shape"])


def _peak(workload: str, arguments: dict[str, Any], threads: int | None) -> Run:
    """The best that NumPy does on this machine: a large matrix product, a copy in memory."""
    if workload == "product":
        a = np.ones((arguments["size"],) * 2, np.float32)
        out = np.empty_like(a)
        return lambda: np.matmul(a, a, out=out)[0, 0]
    cores = os.cpu_count() or 1
    source = np.ones((cores, arguments["size"] // cores), np.float32)
    copy = np.empty_like(source)
    pool = ThreadPoolExecutor(cores)

    def run() -> Any:
        list(pool.map(np.copyto, copy, source))
        return copy[0, 0]

    return run


CONTESTANTS = {
    c.name: c
    for c in (
        Contestant("vectorized", "ours", ("tinygrad_cnn",), partial(_ours, "vectorized")),
        Contestant("compiled", "ours", ("tinygrad_cnn", "numba"), partial(_ours, "compiled")),
        Contestant("torch", "PyTorch", ("torch",), partial(_torch, {})),
        Contestant("torch channels-last", "PyTorch", ("torch",),
                   partial(_torch, {"channels_last": True})),
        Contestant("torch.compile", "PyTorch", ("torch",), _torch_compile),
        Contestant("jax", "JAX", ("jax", "jaxlib"), partial(_lenet, "with_jax")),
        Contestant("autograd", "autograd", ("autograd",), partial(_lenet, "with_autograd")),
        Contestant("mygrad", "MyGrad", ("mygrad",), partial(_lenet, "with_mygrad")),
        Contestant("peak", "peak", (), _peak),
    )
}  # fmt: skip
OURS = ("vectorized", "compiled")  # our contestants have the names of the sets of kernels
PEERS = tuple(name for name, c in CONTESTANTS.items() if c.family not in ("ours", "peak"))
