"""check_module: the gradients of a Module, for its inputs and for every parameter by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from .. import random
from ..engine import wrap
from ..nn import Module
from ..tensor import Tensor
from .check import slope_of
from .compare import same_bits
from .differences import double, evaluate, is_floating, plain, precision
from .errors import GradientError
from .report import checking, compared, examined, listeners
from .subject import Subject, pull_back
from .values import Array, signed
from .verdict import Pairing, disagreement

STEPS = (2.0**-10, 2.0**-15, 2.0**-20)  # a large one crosses kinks, of which a network has many
_SEED = 20  # of the random numbers that the module draws, the same for each call


def check_module(
    module: Module,
    *inputs: Any,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-6,
) -> None:
    """Check the gradients of `module(*inputs)`, for the inputs and every parameter that has one.

    Each is held to differences in signed random directions, on float64 copies of inputs, parameters
    and buffers, in the mode (train or eval) that the module is in. The module is left as it was:
    parameters, their gradients, buffers, and the random generator, which gives each call the same
    numbers. `wrt` numbers the inputs to differentiate by (all of floating point). Where differences
    cross kinks, smaller steps are taken.

    Raises GradientError, whose `input` names the parameter; ValueError or TypeError where there is
    nothing to check.

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
        # a copy, which the module may write to: a leaf refuses
        copies = [x.clone() if isinstance(x, Tensor) else x for x in arguments[:n]]
        with _in_place_of(module, tensors), _same_random_numbers():
            return module(*copies)

    subject = Subject(
        call,
        [*xs, *(double(p) for p in parameters.values())],
        [*given, *range(n, n + len(parameters))],
        name=name,
        names=[*(f"input {k}" for k in range(n)), *parameters],
    )
    with checking(name):
        _verify(subject, directions, seed, rtol)


def _verify(subject: Subject, directions: int, seed: int, rtol: float) -> None:
    """`check.verify` with a step that shrinks until no kink is crossed."""
    rng = np.random.default_rng(seed)
    tensors, outputs = subject.run()
    us = [signed(rng, y.shape, y.dtype) for y in outputs]
    gradients = pull_back(outputs, [tensors[k] for k in subject.wrt], us)
    once, again = evaluate(subject.fn, subject.doubles), evaluate(subject.fn, subject.doubles)
    if not all(map(same_bits, once, again)):
        raise GradientError(
            "not deterministic", "called twice, it gave two results", op=subject.name
        )
    epsilon = max(precision(once), precision(outputs))
    rtol = max(rtol, 16 * epsilon)
    pairings = [Pairing(subject, us, h) for h in STEPS]
    total = pairings[0].pair([np.where(np.isfinite(y), y, 0) for y in once])[1]
    examined(subject.name)
    for k, gradient in zip(subject.wrt, map(plain, gradients), strict=True):
        for _ in range(directions):
            v = signed(rng, gradient.shape)
            trials = [_trial(p, k, v, gradient, rtol, 16 * epsilon * total / p.h) for p in pairings]
            if not any(trial() for trial in trials):
                tolerance = rtol * total + 16 * epsilon * total / STEPS[0]
                raise disagreement(pairings[0], k, v, gradient, tolerance)


def _trial(
    pairing: Pairing, k: int, v: Array, gradient: Array, rtol: float, noise: float
) -> Callable[[], bool]:
    """Whether gradient and differences agree along v with the step of `pairing`, when asked."""

    def agree() -> bool:
        by_difference, size = pairing.derivative(k, v)
        terms = gradient * v
        by_vjp = float(terms.sum())
        size += float(np.abs(terms).sum())
        same = abs(by_vjp - by_difference) <= rtol * size + noise
        if same and listeners and size:
            error = abs(by_vjp - by_difference) / size
            compared(pairing.subject.name, 1, error, partial(slope_of, pairing, k, v, by_vjp))
        return same

    return agree


@contextmanager
def _in_place_of(module: Module, tensors: dict[int, Any]) -> Iterator[None]:
    """Give the module other tensors, by the ids of its own, and copies of the rest in float64."""
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
    random.default_generator.manual_seed(_SEED)
    try:
        yield
    finally:
        random.set_rng_state(state)
