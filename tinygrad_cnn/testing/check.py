"""Checks of one function at one point. `check_op` runs them, and more, at many points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from ..tensor import Tensor
from .compare import close, same_bits
from .differences import Function, evaluate, precision, smallest, step_for, taylor_slope
from .errors import GradientError
from .inputs import plain
from .report import compared, examined, listeners, reported
from .subject import Subject, gradient_function, pull_back
from .values import Array, signed
from .verdict import Pairing, disagreement


def check_vjp(
    fn: Function,
    *xs: object,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-6,
) -> None:
    """Check the gradients of `fn` at `xs` against differences in signed random directions.

    For a random cotangent u and `directions` random directions v, ⟨Jᵀu, v⟩ from the backward pass
    must equal ⟨u, J v⟩ from differences. The differences are taken on a float64 copy. The tolerance
    is `rtol` of the sum of magnitudes of the terms, plus the rounding of the outputs' dtype.

    - `fn` takes Tensors and returns one or several;
    - `xs` are arrays, Tensors, or any other arguments of `fn`;
    - `wrt` numbers the inputs to differentiate by; by default all of floating point.

    Raises GradientError if a gradient is wrong, and ValueError or TypeError if there is nothing to
    check.

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
    """`check_vjp` of a subject.

    `epsilon` is the machine epsilon inside the subject, if it is coarser than that of the outputs.
    `order` is for reports: 2 if the subject is itself a gradient.
    """
    rng = np.random.default_rng(seed)
    tensors, outputs = subject.run()
    us = [signed(rng, y.shape, y.dtype) for y in outputs]
    gradients = pull_back(outputs, [tensors[k] for k in subject.wrt], us)
    once = repeated(subject)
    epsilon = max(epsilon, precision(once))  # of the differences; gradients may have another
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
            floor = noise + gradient.size * least
            tolerance = rtol * size + floor
            error = abs(by_vjp - by_difference)
            agrees = error <= tolerance or pairing.settles(k, v, by_vjp, noise, tolerance)
            if listeners and gradient.size:
                slope = partial(slope_of, pairing, k, v, by_vjp, agrees)
                relative = error / (size + floor / rtol)
                compared(subject.name, order, relative, slope, zero=size <= floor)
            if not agrees:
                raise disagreement(pairing, k, v, gradient, tolerance)


def repeated(subject: Subject) -> list[Array]:
    """The outputs of the function, as arrays.

    Raises GradientError if a second call gives other outputs.
    """
    once, again = evaluate(subject.fn, subject.doubles), evaluate(subject.fn, subject.doubles)
    if not all(map(same_bits, once, again)):
        raise GradientError(
            "not deterministic", "called twice, it gave two results", op=subject.name
        )
    return once


def slope_of(pairing: Pairing, k: int, v: Array, by_vjp: float, agrees: bool = True) -> float:
    """The Taylor slope of the gradient for input k along v.

    It is infinite for a gradient that agrees where only rounding remains.
    """
    slope = taylor_slope(pairing.paired, pairing.xs, pairing.directions(k, v), by_vjp)
    return math.inf if agrees and slope < 1.5 else slope


def check_second_order(
    fn: Function,
    *xs: object,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-6,
) -> None:
    """Check the gradient of the gradient: `check_vjp` of the function (xs, u) ↦ Jᵀu.

    It also checks that the gradient with a graph (`create_graph`) equals the one without. Arguments
    and errors are as in `check_vjp`.

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
    fn: Function, *xs: object, linear_in: int | Sequence[int] | None = None, seed: int = 0
) -> None:
    """Check ⟨A u, v⟩ = ⟨u, Aᵀ v⟩ to rounding, for each input that `fn` is linear in.

    A u is `fn` with u in place of the input, minus `fn` with zeros there. Aᵀ v is the gradient from
    the backward pass. The check needs no step size and no smoothness. `linear_in` numbers the
    inputs; by default all of floating point, one at a time.

    Raises GradientError if the two sides differ, and ValueError or TypeError if there is nothing to
    check.

    >>> import tinygrad_cnn as tc
    >>> check_adjoint(lambda a, b: a @ b, np.ones((2, 3)), np.ones((3, 4)))
    """
    verify_adjoint(Subject(fn, xs, linear_in), seed=seed)


@reported
def verify_adjoint(subject: Subject, *, seed: int = 0) -> None:
    """`check_adjoint` of a subject, for each input of its `wrt`."""
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


def check_kink(
    fn: Function, x: ArrayLike | Tensor, expected: ArrayLike | Tensor, *, h: float = 2.0**-20
) -> None:
    """Check the documented gradient of Σ fn(x) at a kink.

    The gradient must equal `expected`, which has the shape of x. Along each axis it must be
    between the slopes on the two sides of x, which are differences of step `h`. NaN in `expected`
    documents that the gradient is NaN there.

    Raises GradientError if the gradient is another, and ValueError if `expected` has another shape.

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
        if np.isnan(given) and np.isnan(expected[index]):
            continue
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
