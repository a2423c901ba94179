"""Checks of one function at one point. `check_op` runs them, and more, at many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from .compare import close, same_bits
from .differences import Function, evaluate, plain, precision, smallest, step_for, taylor_slope
from .errors import GradientError
from .report import compared, examined, listeners, reported
from .subject import Subject, gradient_function, pull_back
from .values import Array, signed
from .verdict import Pairing, disagreement


def check_vjp(
    fn: Function,
    *xs: Any,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-6,
) -> None:
    """Check the gradients of `fn` at `xs` against differences in signed random directions.

    `fn` takes Tensors and returns one, or several; `xs` are arrays, Tensors, or anything that `fn`
    takes; `wrt` numbers the inputs to differentiate by (all of floating point). For a random
    cotangent u and directions v, ⟨Jᵀu, v⟩ from the engine must be ⟨u, J v⟩ from differences on a
    float64 copy, to `rtol` of their terms and the rounding of the outputs' dtype.

    Raises GradientError where it is not, ValueError or TypeError where there is nothing to check.

    >>> import tinygrad_cnn as tc
    >>> check_vjp(lambda x, w: tc.tanh(x @ w), np.ones((2, 3)), np.ones((3, 4)))
    >>> check_vjp(lambda x: x * x.detach(), np.array([0.5, 2.0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    tinygrad_cnn.testing.errors.GradientError: <lambda> in input 0 (2,): vjp wrong
    """
    verify(Subject(fn, xs, wrt), directions=directions, seed=seed, rtol=rtol)


@reported
def verify(
    subject: Subject,
    *,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-6,
    epsilon: float = 0.0,
    order: int = 1,
) -> None:
    """`check_vjp` of a subject that rounds to `epsilon` inside, if its outputs do not more.

    `order` 2 says, for a report, that the subject is a gradient.
    """
    rng = np.random.default_rng(seed)
    tensors, outputs = subject.run()
    us = [signed(rng, y.shape, y.dtype) for y in outputs]
    gradients = pull_back(outputs, [tensors[k] for k in subject.wrt], us)
    once = repeated(subject)
    epsilon = max(epsilon, precision(once))  # of the differences; the gradients' may be another
    rtol = max(rtol, 16 * epsilon, 16 * precision(outputs), 16 * precision(gradients))
    h = step_for(epsilon)
    pairing = Pairing(subject, us, h)
    noise = 16 * epsilon * pairing.pair([np.where(np.isfinite(y), y, 0) for y in once])[1] / h
    least = smallest([*once, *outputs, *map(plain, gradients)])
    if order == 1:
        examined(subject.name)
    for k, gradient in zip(subject.wrt, map(plain, gradients), strict=True):
        for _ in range(directions):
            v = signed(rng, gradient.shape)
            by_difference, size = pairing.derivative(k, v)
            terms = gradient.astype(np.float64) * v
            by_vjp = float(terms.sum())
            size += float(np.abs(terms).sum())
            tolerance = rtol * size + noise + gradient.size * least
            error = abs(by_vjp - by_difference)
            agrees = error <= tolerance or pairing.settles(k, v, by_vjp, noise, tolerance)
            if listeners and size:
                slope = partial(slope_of, pairing, k, v, by_vjp, agrees)
                compared(subject.name, order, error / size, slope)
            if not agrees:
                raise disagreement(pairing, k, v, gradient, tolerance)


def repeated(subject: Subject) -> list[Array]:
    """What the function gives, as arrays; GradientError where it gives something else again."""
    once, again = evaluate(subject.fn, subject.doubles), evaluate(subject.fn, subject.doubles)
    if not all(map(same_bits, once, again)):
        raise GradientError(
            "not deterministic", "called twice, it gave two results", op=subject.name
        )
    return once


def slope_of(pairing: Pairing, k: int, v: Array, by_vjp: float, agrees: bool = True) -> float:
    """The Taylor slope of the gradient for input k along v; infinite where nothing but the rounding
    of a gradient that agrees remains.
    """
    slope = taylor_slope(pairing.paired, pairing.xs, pairing.directions(k, v), by_vjp)
    return math.inf if agrees and slope < 1.5 else slope


def check_second_order(
    fn: Function,
    *xs: Any,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-6,
) -> None:
    """Check the gradient of the gradient: `check_vjp` of (xs, u) ↦ Jᵀu, as with `create_graph`.

    It also holds the gradient with a graph to the one without.

    >>> import tinygrad_cnn as tc
    >>> check_second_order(lambda x: tc.softmax(x, 0), np.array([0.3, -1.0, 2.0]))
    """
    verify_second_order(Subject(fn, xs, wrt), directions=directions, seed=seed, rtol=rtol)


@reported
def verify_second_order(
    subject: Subject, *, directions: int = 3, seed: int = 0, rtol: float = 1e-6
) -> None:
    """`check_second_order` of a subject."""
    rng = np.random.default_rng(seed)
    _, outputs = subject.run()
    inner = precision(repeated(subject))
    us = [signed(rng, y.shape, y.dtype) for y in outputs]
    gradient = gradient_function(subject)
    n = len(subject.xs)
    reached = [n + j for j, y in enumerate(outputs) if y.requires_grad]
    second = Subject(
        gradient,
        [*subject.xs, *us],
        [*subject.wrt, *reached],
        name=f"the gradient of {subject.name}",
        names=[*subject.names, *(f"the cotangent {j}" for j in range(len(us)))],
    )
    try:
        _, recorded = second.run()
    except ValueError as error:
        raise GradientError(
            "second derivative wrong", "the gradient has no graph: is it cut off?", op=subject.name
        ) from error
    for k, a, b in zip(subject.wrt, recorded, subject.gradients(us), strict=True):
        if not close(plain(a), b, precision([*outputs, b])):
            raise GradientError(
                "gradient with create_graph differs from the one without",
                f"by up to {np.abs(plain(a) - b).max():.3g}",
                op=subject.name,
                input=subject.names[k],
            )
    try:
        verify(second, directions=directions, seed=seed, rtol=rtol, epsilon=inner, order=2)
    except GradientError as error:
        if error.verdict == "vjp wrong":
            error.verdict = "second derivative wrong"
        raise


def check_adjoint(
    fn: Function, *xs: Any, linear_in: int | Sequence[int] | None = None, seed: int = 0
) -> None:
    """Check ⟨A u, v⟩ = ⟨u, Aᵀ v⟩ to rounding, for each input that `fn` is linear in.

    A u is `fn` with u in that input's place, less what it gives for zeros; Aᵀ v is the engine's
    gradient. It needs no step size, and no smoothness. By default all floating-point inputs, one
    at a time.

    >>> import tinygrad_cnn as tc
    >>> check_adjoint(lambda a, b: a @ b, np.ones((2, 3)), np.ones((3, 4)))
    """
    verify_adjoint(Subject(fn, xs, linear_in), seed=seed)


@reported
def verify_adjoint(subject: Subject, *, seed: int = 0) -> None:
    """`check_adjoint` of a subject, linear in each of its `wrt`."""
    rng = np.random.default_rng(seed)
    _, outputs = subject.run()
    repeated(subject)
    vs = [signed(rng, y.shape, y.dtype) for y in outputs]
    for k, pulled in zip(subject.wrt, subject.gradients(vs), strict=True):
        u = signed(rng, pulled.shape, pulled.dtype)
        images = []
        for value in (u, np.zeros_like(u)):
            images.append(evaluate(subject.fn, [*subject.xs[:k], value, *subject.xs[k + 1 :]]))
        with np.errstate(all="ignore"):
            terms = [
                np.asarray(v * np.where(a == b, 0, a - b), np.float64)
                for v, a, b in zip(vs, *images, strict=True)
            ]
        here, there = sum(float(t.sum()) for t in terms), float((u * pulled).sum())
        size = sum(float(np.abs(t).sum()) for t in terms) + float(np.abs(u * pulled).sum())
        tolerance = 256 * precision([*outputs, u]) * size + u.size * smallest([*outputs, u])
        if not abs(here - there) <= tolerance:
            raise GradientError(
                "vjp wrong: not the adjoint, or the function is not linear here",
                f"⟨A u, v⟩ = {here:.12g}, ⟨u, Aᵀ v⟩ = {there:.12g}",
                op=subject.name,
                input=subject.names[k],
            )


def check_kink(fn: Function, x: Any, expected: Any, *, h: float = 2.0**-20) -> None:
    """Check the gradient of Σ fn(x) at a kink: it is `expected`, and a possible slope.

    Along each axis the gradient must lie between the slopes on the two sides of x.

    >>> import tinygrad_cnn as tc
    >>> check_kink(tc.relu, [0.0], [0.0])
    >>> check_kink(tc.amax, [3.0, 1.0, 3.0], [0.5, 0.0, 0.5])
    """
    x = np.array(plain(x), np.float64)
    expected = np.asarray(plain(expected), np.float64)
    subject = Subject(fn, [x])
    subject.run()
    ys = repeated(subject)
    us = [np.ones(y.shape, y.dtype) for y in ys]
    (gradient,) = subject.gradients(us)
    if expected.shape != x.shape:
        raise ValueError(f"expected has shape {expected.shape}, x {x.shape}")
    pairing = Pairing(subject, us, h)
    for flat in range(x.size):
        index = tuple(int(i) for i in np.unravel_index(flat, x.shape))
        v = np.zeros(x.shape)
        v[index] = 1.0
        left, right = pairing.one_sided(0, v, h)
        slack = 1e-5 * max(1.0, abs(left), abs(right))
        given = float(gradient[index])
        if given != expected[index] and not abs(given - expected[index]) <= 1e-12 * abs(given):
            verdict = f"not what is documented: wanted {expected[index]:.10g}"
        elif not min(left, right) - slack <= given <= max(left, right) + slack:
            verdict = "not between the slopes on the two sides"
        else:
            continue
        raise GradientError(
            verdict,
            f"the slopes there are {left:.6g} and {right:.6g}",
            op=subject.name,
            index=index,
            by_vjp=given,
            by_difference=(left + right) / 2,
        )
