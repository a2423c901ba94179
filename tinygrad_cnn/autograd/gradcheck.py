"""gradcheck and gradgradcheck, like PyTorch's: Jacobians by backward against finite differences.

They serve code that was written for PyTorch. `tinygrad_cnn.testing` has stronger checks: signed random
directions, many shapes, tighter tolerances, a verdict.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import shown
from ..engine import Recorded, enable_grad, wrap
from ..engine.dtypes import FLOATING
from .gradients import grad

if TYPE_CHECKING:
    from ..tensor import Tensor

Array = np.ndarray[Any, Any]


class GradcheckError(RuntimeError):
    """A gradient differs from the finite differences, or violates a rule for gradients."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of `func` at `inputs` with central differences of step `eps`.

    `inputs` are one or several Tensors, which should be float64. The check changes those that require
    grad, in place, and restores them. `func` returns one or several Tensors; outputs that are not
    floating point are ignored. Each entry of each Jacobian must agree within `atol` + `rtol` · |the
    difference|; with `fast_mode` only one projection in signed random directions must. Two calls, and
    two backward passes, may differ by `nondet_tol`. `check_undefined_grad` and `check_grad_dtypes`
    have no effect: they always hold here.

    Returns True. Raises GradcheckError where the check fails, or returns False without
    `raise_exception`; ValueError where no input or no output requires grad; TypeError where `func`
    returns no floating-point Tensor; NotImplementedError for the options of forward-mode and batched
    gradients.

    >>> x = tc.tensor([[0.3, -1.2], [2.0, 0.7]], dtype=tc.float64, requires_grad=True)
    >>> gradcheck(lambda x: tc.tanh(x @ x), x)
    True
    >>> gradcheck(lambda x: x * x.detach(), x)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    tinygrad_cnn.autograd.gradcheck.GradcheckError: Jacobian mismatch for output 0 with respect ...
    """
    _refuse(
        "gradcheck",
        check_batched_grad=check_batched_grad,
        check_batched_forward_grad=check_batched_forward_grad,
        check_forward_ad=check_forward_ad,
        masked=masked,
    )
    if not check_backward_ad:
        raise ValueError("gradcheck: nothing to check with check_backward_ad=False")
    given, moved = _checked_inputs("gradcheck", inputs)
    try:
        _check(func, given, moved, eps, atol, rtol, nondet_tol, fast_mode)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """`gradcheck` of the gradient of `func`, with respect to its inputs and the cotangents.

    `grad_outputs` are the cotangents; by default random ones, with `gen_non_contig_grad_outputs` in
    non-contiguous memory. The other arguments, and the errors, are those of `gradcheck`.

    >>> x = tc.tensor([0.3, -1.2], dtype=tc.float64, requires_grad=True)
    >>> gradgradcheck(tc.softmax, (x, 0))
    True
    """
    _refuse("gradgradcheck", check_fwd_over_rev=check_fwd_over_rev)
    if not check_rev_over_rev:
        raise ValueError("gradgradcheck: nothing to check with check_rev_over_rev=False")
    given, moved = _checked_inputs("gradgradcheck", inputs)
    outputs = [y for y in _outputs(func, given) if y.requires_grad]
    if not outputs:
        raise ValueError(f"gradgradcheck: {_NO_OUTPUT}")
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        cotangents = tuple(_cotangent(rng, y, gen_non_contig_grad_outputs) for y in outputs)
    else:
        cotangents = (grad_outputs,) if isinstance(grad_outputs, Recorded) else tuple(grad_outputs)
    n = len(given)

    def gradient(*arguments: Any) -> tuple[Any, ...]:
        ys = [y for y in _outputs(func, arguments[:n]) if y.requires_grad]
        found = grad(ys, moved, arguments[n:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradient,
        (*given, *cotangents),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
        masked=masked,
    )


# --- Inputs and outputs ---------------------------------------------------------------------------

_NO_OUTPUT = (
    "no output of the function requires grad, though an input does: is the graph cut off by "
    "detach(), no_grad() or NumPy?"
)


def _refuse(name: str, **options: Any) -> None:
    for option, value in options.items():
        if value:
            raise NotImplementedError(f"{name}: {option}={value!r} is not supported")


def _checked_inputs(name: str, inputs: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """The inputs, and the list of those that require grad."""
    given = (inputs,) if isinstance(inputs, Recorded) else tuple(inputs)
    moved: list[Any] = []
    for k, x in enumerate(given):
        if not isinstance(x, Recorded) or x._node is None:
            continue
        moved.append(x)
        array = x._array
        if array.dtype != np.float64:
            warnings.warn(
                f"Input #{k} requires gradient and is not a double precision floating point: it is "
                f"{shown(array.dtype)}. This check will likely fail if all the inputs are not of double "
                "precision floating point.",
                stacklevel=3,
            )
        repeated = (n > 1 and s == 0 for n, s in zip(array.shape, array.strides, strict=True))
        if array.size and any(repeated):
            raise RuntimeError(
                f"The {k}th input has a dimension with stride 0. {name} only supports inputs that "
                "are non-overlapping, to be able to move each element: call .contiguous() on it"
            )
        if not array.flags.writeable:
            raise RuntimeError(f"{name}: the memory of input #{k} is read-only: clone() it")
    if not moved:
        raise ValueError(
            f"{name} expects at least one input tensor to require gradient, but none of them have "
            "requires_grad=True."
        )
    return given, moved


def _cotangent(rng: np.random.Generator, y: Any, spread: bool) -> Any:
    """A random cotangent of y: of both signs, not near 0."""
    shape = (*y.shape, 2) if spread else y.shape
    values = rng.uniform(0.5, 1.5, shape) * np.where(rng.random(shape) < 0.5, -1, 1)
    u = wrap(np.asarray(values[..., 0] if spread else values, y.dtype))
    return u.requires_grad_()


def _outputs(func: Callable[..., Any], inputs: Sequence[Any]) -> list[Any]:
    """The floating-point outputs. TypeError if there is none."""
    with enable_grad():
        result = func(*inputs)
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    if not outputs or not all(isinstance(y, Recorded) for y in outputs):
        raise TypeError(
            f"the function must return a Tensor, or several, got {type(result).__name__}"
        )
    found = [y for y in outputs if y._array.dtype.kind in FLOATING]
    if not found:
        raise TypeError(
            "the function returned no Tensor of floating point: "
            f"{', '.join(shown(y._array.dtype) for y in outputs)}"
        )
    return found


# --- The two Jacobians --------------------------------------------------------------------------


def _check(
    func: Callable[..., Any],
    given: Sequence[Any],
    moved: Sequence[Any],
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    fast: bool,
) -> None:
    outputs = _outputs(func, given)
    if not any(y.requires_grad for y in outputs):
        raise ValueError(f"gradcheck: {_NO_OUTPUT}")
    once = [y._array.copy() for y in outputs]
    again = [y._array for y in _outputs(func, given)]
    if any(
        a.shape != b.shape or not _near(a, b, nondet_tol) for a, b in zip(once, again, strict=True)
    ):
        raise GradcheckError(
            "the function is not deterministic: called twice with the same inputs it gave two "
            f"results, more than nondet_tol={nondet_tol} apart"
        )
    _check_zero_cotangents(outputs, moved)
    evaluate = lambda: [y._array for y in _outputs(func, given)]  # noqa: E731
    for i, x in enumerate(moved):
        numerical = (
            _projected(evaluate, x, outputs, eps) if fast else _differences(evaluate, x, eps)
        )
        for j, y in enumerate(outputs):
            n = numerical[j]
            if not y.requires_grad:
                if not _near(n, np.zeros_like(n), atol):
                    raise GradcheckError(
                        f"Numerical gradient for function expected to be zero: output {j} requires "
                        f"no grad, but moves with input {i}"
                    )
                continue
            rows = [_signed(y, j)] if fast else list(_units(y))
            a, b = (_pulled(y, x, rows) for _ in range(2))
            if fast:
                v = _signed(x, -1)
                a, b = ((v * part[:, 0].reshape(v.shape)).sum().reshape(1, 1) for part in (a, b))
            if not _near(a, b, nondet_tol):
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and "
                    f"grad_output multiple times gives different values (output {j}, input {i}; "
                    f"nondet_tol={nondet_tol})"
                )
            slack = atol * (np.sqrt(x._array.size * y._array.size) if fast else 1.0)
            wrong = ~(np.abs(a - n) <= slack + rtol * np.abs(n))
            if wrong.any():
                raise GradcheckError(_mismatch(i, j, x, y, n, a, fast))


def _near(a: Array, b: Array, tolerance: float) -> bool:
    return bool(np.allclose(a, b, rtol=0.0, atol=tolerance, equal_nan=True))


def _check_zero_cotangents(outputs: Sequence[Any], moved: Sequence[Any]) -> None:
    """The gradient is linear in the cotangent: for 0 it must be 0."""
    ys = [y for y in outputs if y.requires_grad]
    zeros = [wrap(np.zeros_like(y._array)) for y in ys]
    found = grad(ys, moved, zeros, retain_graph=True, allow_unused=True)
    if any(g is not None and np.any(g._array != 0) for g in found):
        raise GradcheckError("backward not multiplied by grad_output")


def _differences(evaluate: Callable[[], list[Array]], x: Any, eps: float) -> list[Array]:
    """∂y/∂x for each output, in the shape (elements of x, elements of y)."""
    rows = [_central(evaluate, x, unit, eps) for unit in _units(x)]
    if not rows:
        return [np.zeros((0, y.size)) for y in evaluate()]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _projected(
    evaluate: Callable[[], list[Array]], x: Any, outputs: Sequence[Any], eps: float
) -> list[Array]:
    """uᵀ J v for each output, with signed random directions u and v, in the shape (1, 1)."""
    ahead = _central(evaluate, x, _signed(x, -1), eps)
    return [
        (_signed(y, j).ravel() * d).sum().reshape(1, 1)
        for j, (y, d) in enumerate(zip(outputs, ahead, strict=True))
    ]


def _central(evaluate: Callable[[], list[Array]], x: Any, v: Array, eps: float) -> list[Array]:
    """(f(x + eps v) − f(x − eps v)) / 2 eps of each output, flattened. x is restored."""
    array = x._array
    before = array.copy()
    sides = []
    try:
        for step in (eps, -eps):
            array[...] = before + step * v
            sides.append([y.astype(np.float64).ravel() for y in evaluate()])
    finally:
        array[...] = before
    if [y.size for y in sides[0]] != [y.size for y in sides[1]]:
        raise GradcheckError("the outputs have other shapes when an input is moved")
    return [(b - a) / (2 * eps) for b, a in zip(*sides, strict=True)]


def _units(x: Any) -> Iterator[Array]:
    """The unit vectors in the shape of x."""
    for k in range(x._array.size):
        unit = np.zeros(x._array.shape, x._array.dtype)
        unit.flat[k] = 1.0
        yield unit


def _signed(x: Any, seed: int) -> Array:
    """A direction in the shape of x with both signs, determined by the seed."""
    rng = np.random.default_rng(seed + 1)
    shape = x._array.shape
    return np.asarray(
        rng.uniform(0.5, 1.5, shape) * np.where(rng.random(shape) < 0.5, -1, 1), x._array.dtype
    )


def _pulled(y: Any, x: Any, cotangents: Any) -> Array:
    """x̄ for each cotangent of y, in the shape (elements of x, cotangents)."""
    columns = []
    for u in cotangents:
        (g,) = grad(y, x, wrap(u), retain_graph=True, allow_unused=True)
        columns.append(np.zeros(x._array.size) if g is None else g.detach()._array.ravel())
    return np.stack(columns, 1) if columns else np.zeros((x._array.size, 0))


def _mismatch(
    i: int, j: int, x: Any, y: Any, numerical: Array, analytical: Array, fast: bool
) -> str:
    text = (
        f"Jacobian mismatch for output {j} with respect to input {i},\n"
        f"numerical:{numerical}\nanalytical:{analytical}\n"
    )
    if fast:
        return text + "(projected in random directions: fast_mode=False says where)"
    error = np.abs(analytical - numerical)
    row, column = np.unravel_index(
        int(np.argmax(np.where(np.isnan(error), np.inf, error))), error.shape
    )
    at_x = tuple(int(k) for k in np.unravel_index(int(row), x._array.shape))
    at_y = tuple(int(k) for k in np.unravel_index(int(column), y._array.shape))
    return text + (
        f"worst at output {at_y}, input {at_x}: {numerical[row, column]:.10g} by differences, "
        f"{analytical[row, column]:.10g} by backward"
    )
