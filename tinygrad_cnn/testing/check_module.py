"""check_module: the gradients of a Module, for its inputs and for every parameter by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import random
from ..engine import wrap
from ..nn import Module
from ..tensor import Tensor
from .inputs import double, is_floating
from .report import checking
from .subject import Subject
from .verify import verify

RANDOM_SEED = 20  # any: each call of the module draws the same random numbers


def check_module(
    module: Module,
    *inputs: object,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-7,
    allow_unseen: bool = False,
) -> None:
    """Check the gradients of `module(*inputs)` for its inputs and for every parameter.

    Parameters that do not require grad are left out. Each gradient is compared with differences in
    signed random directions, on float64 copies of inputs, parameters and buffers. The module runs in its current mode (train or eval).

    The module stays as it was: its parameters, their gradients, its buffers. So does the random
    generator, and each call of the module draws the same random numbers. `wrt` numbers the inputs
    to differentiate by; by default all of floating point. The other options are as in
    `check_vjp`.

    Raises GradientError, whose `input` names the parameter; TypeError if `module` is not a Module;
    and ValueError or TypeError if there is nothing to check.

    >>> from tinygrad_cnn import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU())
    >>> check_module(net, np.random.default_rng(0).normal(size=(2, 1, 5, 4)))
    """
    if not isinstance(module, Module):
        raise TypeError(f"check_module: wanted a Module, got {type(module).__name__}")
    name = type(module).__name__
    parameters = {n: p for n, p in module.named_parameters() if p.requires_grad}
    xs = [double(x) for x in inputs]
    if wrt is None:
        wrt = [k for k, x in enumerate(xs) if is_floating(x)]
    given = [wrt] if isinstance(wrt, int) else list(wrt)
    n = len(xs)

    def call(*arguments: Any) -> Any:
        tensors = dict(zip(map(id, parameters.values()), arguments[n:], strict=True))
        # the module may write to its input in place, which a leaf refuses: it gets a copy
        copies = [x.clone() if isinstance(x, Tensor) else x for x in arguments[:n]]
        with _replaced(module, tensors), _same_random_numbers():
            return module(*copies)

    subject = Subject(
        call,
        [*xs, *(double(p) for p in parameters.values())],
        [*given, *range(n, n + len(parameters))],
        name=name,
        names=[*(f"input {k}" for k in range(n)), *parameters],
    )
    with checking(name, type(module).__module__):
        verify(subject, directions=directions, seed=seed, rtol=rtol, allow_unseen=allow_unseen)


@contextmanager
def _replaced(module: Module, tensors: dict[int, Any]) -> Iterator[None]:
    """Replace the parameters and buffers of the module, and restore them afterwards.

    `tensors` maps ids of its own tensors to replacements. The others are replaced by float64
    copies.
    """
    before: list[tuple[dict[str, Any], dict[str, Any]]] = []
    others = dict(tensors)
    for part in module.modules():
        for registry in (vars(part)["_parameters"], vars(part)["_buffers"]):
            before.append((registry, dict(registry)))
            for key, tensor in registry.items():
                if tensor is None:
                    continue
                if id(tensor) not in others:
                    copy = tensor._array.astype(np.float64) if is_floating(tensor) else None
                    others[id(tensor)] = wrap(tensor._array.copy() if copy is None else copy)
                registry[key] = others[id(tensor)]
    try:
        yield
    finally:
        for registry, entries in before:
            registry.clear()
            registry.update(entries)


@contextmanager
def _same_random_numbers() -> Iterator[None]:
    state = random.get_rng_state()
    random.default_generator.manual_seed(RANDOM_SEED)
    try:
        yield
    finally:
        random.set_rng_state(state)
