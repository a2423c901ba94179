"""Checks of one function at one point. `check_op` runs them, and more, at many points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..tensor import Tensor
from . import core
from .compare import close
from .core.differentiable import Differentiable
from .differences import Function, precision, smallest
from .errors import GradientError
from .inputs import plain
from .report import reported
from .subject import Subject
from .values import Array, signed
from .verify import repeated, verify


def check_vjp(
    fn: Function | Differentiable,
    *xs: object,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-7,
    allow_unseen: bool = False,
    vjp: Callable[..., Any] | None = None,
) -> None:
    """Check the gradients of `fn` at `xs` against differences in signed random directions.

    For a random cotangent u and `directions` random directions v, ⟨Jᵀu, v⟩ from the backward pass
    must equal ⟨u, J v⟩ from differences. The differences are taken on a float64 copy. The tolerance
    is `rtol` of the sum of magnitudes of the terms, plus the rounding of the outputs' dtype.

    - `fn` takes Tensors and returns one or several. Or it takes arrays, and `vjp(g, *xs)` returns
      its gradients; or it is a `Differentiable`, such as a function of another library that
      `testing.adapters` wraps;
    - `xs` are arrays, Tensors, or any other arguments of `fn`;
    - `wrt` numbers the inputs to differentiate by; by default all of floating point;
    - `allow_unseen` accepts points where differences cannot tell.

    At a kink, a gradient between the slopes on the two sides is right: of |x| at 0, all of [−1, 1].

    Raises GradientError if a gradient is wrong or cannot be judged, and ValueError or TypeError if
    there is nothing to check.

    >>> import tinygrad_cnn as tc
    >>> check_vjp(lambda x, w: tc.tanh(x @ w), np.ones((2, 3)), np.ones((3, 4)))
    >>> check_vjp(lambda x: x * x.detach(), np.array([0.5, 2.0]))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    tinygrad_cnn.testing.errors.GradientError: <lambda> in input 0 (2,): vjp wrong
    """
    subject = subject_at(fn, xs, wrt, vjp)
    verify(subject, directions=directions, seed=seed, rtol=rtol, allow_unseen=allow_unseen)


def subject_at(
    fn: Function | Differentiable,
    xs: Sequence[object],
    wrt: int | Sequence[int] | None = None,
    vjp: Callable[..., Any] | None = None,
) -> core.Subject:
    """The Subject of a function of Tensors, of a Differentiable, or of arrays with this vjp."""
    if isinstance(fn, Differentiable):
        if vjp is not None:
            raise TypeError("vjp= is for a function of arrays: a Differentiable has its own")
        return fn.subject(xs, wrt)
    return Subject(fn, xs, wrt) if vjp is None else Differentiable(fn, vjp).subject(xs, wrt)


def check_second_order(
    fn: Function | Differentiable,
    *xs: object,
    wrt: int | Sequence[int] | None = None,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-7,
    allow_unseen: bool = False,
) -> None:
    """Check the gradient of the gradient: `check_vjp` of the function (xs, u) ↦ Jᵀu.

    It also checks that the gradient with a graph (`create_graph`) equals the one without. Arguments
    and errors are as in `check_vjp`.

    >>> import tinygrad_cnn as tc
    >>> check_second_order(lambda x: tc.softmax(x, 0), np.array([0.3, -1.0, 2.0]))
    """
    verify_second(
        subject_at(fn, xs, wrt), directions=directions, seed=seed, rtol=rtol,
        allow_unseen=allow_unseen,
    )  # fmt: skip


@reported
def verify_second(
    subject: core.Subject,
    *,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-7,
    allow_unseen: bool = False,
) -> None:
    """`check_second_order` of a subject. One without a vjp of its vjp passes."""
    if isinstance(subject, Subject):
        verify_second_order(
            subject, directions=directions, seed=seed, rtol=rtol, allow_unseen=allow_unseen
        )
        return
    rng = np.random.default_rng(seed)
    us = [signed(rng, y.shape, y.dtype) for y in subject.value(subject.xs)]
    second = subject.second_subject(us)
    if second is None:
        return
    try:
        verify(
            second, directions=directions, seed=seed, rtol=rtol, order=2, allow_unseen=allow_unseen
        )
    except GradientError as error:
        raise _of_second_order(error) from None


@reported
def verify_second_order(
    subject: Subject,
    *,
    directions: int = 3,
    seed: int = 0,
    rtol: float = 1e-7,
    allow_unseen: bool = False,
) -> None:
    """`check_second_order` of a subject."""
    rng = np.random.default_rng(seed)
    _, outputs = subject.run()
    inner = precision(repeated(subject))
    us = [signed(rng, y.shape, y.dtype) for y in outputs]
    second = subject.second(us, [j for j, y in enumerate(outputs) if y.requires_grad])
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
        rtol = max(rtol, 16 * inner)
        verify(
            second, directions=directions, seed=seed, rtol=rtol, order=2, allow_unseen=allow_unseen
        )
    except GradientError as error:
        raise _of_second_order(error) from None


def _of_second_order(error: GradientError) -> GradientError:
    if error.verdict == "vjp wrong":
        error.verdict = "second derivative wrong"
    return error


def check_adjoint(
    fn: Function | Differentiable,
    *xs: object,
    linear_in: int | Sequence[int] | None = None,
    seed: int = 0,
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
    verify_adjoint(subject_at(fn, xs, linear_in), seed=seed)


@reported
def verify_adjoint(
    subject: core.Subject, *, seed: int = 0, linear_in: Sequence[int] | None = None
) -> None:
    """`check_adjoint` of a subject, by default for each input of its `wrt`."""
    rng = np.random.default_rng(seed)
    outputs = subject.value(subject.xs)
    repeated(subject)
    vs = [signed(rng, y.shape, y.dtype) for y in outputs]
    for k, pulled in zip(subject.wrt, subject.vjp(subject.xs, vs), strict=True):
        if linear_in is not None and k not in linear_in:
            continue
        u = signed(rng, pulled.shape, pulled.dtype)
        images = []
        for value in (u, np.zeros_like(u)):
            with np.errstate(all="ignore"):
                images.append(subject.value([*subject.xs[:k], value, *subject.xs[k + 1 :]]))
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
    fn: Function | Differentiable,
    x: ArrayLike | Tensor,
    expected: ArrayLike | Tensor,
    *,
    h: float = 2.0**-20,
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
    subject = subject_at(fn, [x])
    ys = repeated(subject)
    us = [np.ones(y.shape, y.dtype) for y in ys]
    (gradient,) = subject.vjp(subject.xs, us)
    if expected.shape != x.shape:
        raise ValueError(f"expected has shape {expected.shape}, x {x.shape}")
    for flat in range(x.size):
        index = tuple(int(i) for i in np.unravel_index(flat, x.shape))
        left, right = _slopes(subject, ys, index, h)
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


def _slopes(
    subject: core.Subject, ys: Sequence[Array], index: tuple[int, ...], h: float
) -> tuple[float, float]:
    """The slopes of Σ f on the two sides of an element of input 0."""
    sides = []
    for step in (-h, h):
        moved = subject.doubles[0].copy()
        moved[index] += step
        with np.errstate(all="ignore"):
            changes = [
                np.where(a == b, 0.0, (a.astype(np.float64) - b) / step)
                for a, b in zip(subject.outputs(0, moved), ys, strict=True)
            ]
        sides.append(sum(float(change.sum()) for change in changes))
    return sides[0], sides[1]
