"""The one line for an op."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from .calls import Call, entry_for, find_op, snippet, strategy_for, subject_of
from .check import check_kink
from .compare import close, same_bits
from .differences import is_floating, plain
from .errors import GradientError
from .properties import Trial, first
from .report import checking


def check_op(
    op: Any,
    strategy: SearchStrategy[Call] | None = None,
    reference: Callable[..., Any] | None = None,
    linear_in: Sequence[str] = (),
    conventions: Iterable[tuple[Any, Any, Any]] = (),
    second_order: bool = True,
) -> None:
    """Check everything that holds for every op, on calls that Hypothesis draws.

    `op` is what `@op` made, or a registered op's name; `strategy` draws a `Call` (by default the
    one given to `register_strategy`). `reference` takes the inputs as arrays and the attributes,
    and returns what the forward must; `linear_in` names inputs that it is linear in; `conventions`
    are arguments for `check_kink`, (function, x, expected gradient), or for `check_convention`,
    (Call, input, expected gradient). What is registered beside the strategy holds too. Without
    `second_order` the vjps may be of arrays alone: their own derivatives are not asked for.

    Checked are: first and second derivatives against central differences; ⟨Au, v⟩ = ⟨u, Aᵀv⟩ where
    it is linear; that the vjps are linear in the cotangent, repeat to the bit, keep shape and dtype
    (float32 too), write to nothing and share no memory; that arrays give what Tensors give, and the
    layout in memory does not matter; that no call disturbs another. The number of examples is the
    Hypothesis profile's.

    Raises GradientError for the smallest call that fails, LookupError where there is no strategy.

    >>> import tinygrad_cnn as tc
    >>> check_op(tc.relu, conventions=[(tc.relu, [0.0], [0.0])])
    >>> check_op("mul", reference=lambda a, b: a * b)
    """
    op = find_op(op)
    entry = entry_for(op)
    if strategy is None:
        strategy = strategy_for(op)

    checked = 0

    def run(call: Call) -> None:
        nonlocal checked
        checked += check_call(op, call, reference, linear_in, second_order=second_order)

    run.__name__ = f"check_op_{op.name}"
    phases = [phase for phase in settings().phases if phase is not Phase.explain]
    how = settings(
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=phases,
    )
    with checking(op.name):
        how(given(strategy)(run))()
        if not checked:
            raise ValueError(
                f"{op.name}: nothing was checked: no call drawn had an element to differentiate by"
            )
        for what, x, expected in (*conventions, *(entry.conventions if entry else ())):
            if isinstance(what, Call):
                check_convention(op, what, x, expected)
            else:
                check_kink(what, x, expected)


def check_convention(op: Any, call: Call, input: str, expected: Any) -> None:
    """`check_kink` of an op: the gradient of Σ y for that input of the call is `expected`.

    >>> check_convention("abs", Call((np.array([0.0, -2.0]),)), "x", [0.0, -1.0])
    """
    op = find_op(op)
    k = op.inputs.index(input)

    def fn(x: Any) -> Any:
        inputs = (*call.inputs[:k], x, *call.inputs[k + 1 :])
        return first(op.record(*inputs, **call.attributes))

    fn.__name__ = f"{op.name} in {input}"
    line = f"testing.check_convention(op, call, {input!r}, {np.asarray(expected).tolist()})"
    _reported(op, call, line, "convention", lambda: check_kink(fn, call.inputs[k], expected))


def check_call(
    op: Any,
    call: Call,
    reference: Callable[..., Any] | None = None,
    linear_in: Sequence[str] = (),
    constants: Sequence[str] = (),
    second_order: bool = True,
) -> bool:
    """What `check_op` checks, of one call; whether there was an element to differentiate by."""
    op = find_op(op)
    if not isinstance(call, Call):
        raise TypeError(f"{op.name}: the strategy must draw Calls, got {type(call).__name__}")
    entry = entry_for(op)
    if entry is not None:
        linear_in, constants = (*linear_in, *entry.linear_in), (*constants, *entry.constants)
    line = "testing.check_call(op, call)"
    if linear_in and entry is None:
        line = f"testing.check_call(op, call, linear_in={tuple(linear_in)})"
    before = [x.copy() if isinstance(x, np.ndarray) else x for x in call.inputs]
    if reference is not None:
        given = "reference = op.forward  # put here the one that was given\n"
        given += "testing.check_call(op, call, reference)"
        _reported(op, call, given, "reference", lambda: _agrees(op, call, reference))
    registered = entry and entry.reference
    if registered is not None:
        _reported(op, call, line, "reference", lambda: _agrees(op, call, registered))
    for name, x in zip(op.inputs, call.inputs, strict=False):
        if is_floating(x) and name not in op.vjps and name not in constants:
            raise GradientError(
                "no vjp", "name it in `constants` if that is meant", op=op.name, input=name
            )
    subject = subject_of(op, call)
    if subject is not None:
        _reported(op, call, line, "", lambda: Trial(op, call, subject, linear_in).run(second_order))
    _reported(op, call, line, "input", lambda: _unchanged(op, call, before))
    return subject is not None and any(subject.xs[k].size for k in subject.wrt)


def _reported(op: Any, call: Call, line: str, check: str, run: Callable[[], None]) -> None:
    """Run a check: what it raises is a GradientError, with the snippet that ends in `line`."""
    try:
        run()
    except GradientError as error:
        error.snippet = snippet(op, call, line)
        error.check = error.check or check
        raise
    except Exception as problem:
        failure = GradientError(
            f"raised {type(problem).__name__}: {problem}",
            op=op.name,
            snippet=snippet(op, call, line),
        )
        failure.check = "no exception"
        raise failure from problem


def _unchanged(op: Any, call: Call, before: Sequence[Any]) -> None:
    for k, (x, now) in enumerate(zip(before, call.inputs, strict=True)):
        if isinstance(x, np.ndarray) and not same_bits(x, now):
            call.inputs = tuple(before)  # what the snippet shows is the call as it was
            raise GradientError(
                "input changed", op=op.name, input=f"{op.inputs[0 if op.variadic else k]} {x.shape}"
            )


def _agrees(op: Any, call: Call, reference: Callable[..., Any]) -> None:
    arrays = [plain(x) for x in call.inputs]
    before = [x.copy() if isinstance(x, np.ndarray) else x for x in arrays]
    with np.errstate(all="ignore"):
        wanted = reference(*arrays, **call.attributes)
        found = op.record(*arrays, **call.attributes)
    _unchanged(op, call, before)
    wanted, found = (v if isinstance(v, tuple) else (v,) for v in (wanted, found))
    names = ("", *(f"its {name}: " for name in op.returns))
    for name, a, b in zip(names, found, wanted, strict=False):
        _same(op, name, np.asarray(plain(a)), np.asarray(b))


def _same(op: Any, name: str, y: Any, wanted: Any) -> None:
    if close(y, wanted):
        return
    verdict = "forward disagrees with its reference"
    if y.shape != wanted.shape:
        raise GradientError(verdict, f"{name}shape {y.shape}, wanted {wanted.shape}", op=op.name)
    with np.errstate(all="ignore"):
        error = np.abs(np.subtract(y, wanted, dtype=np.float64))
        error = np.where((y == wanted) | (np.isnan(y) & np.isnan(wanted)), 0, error)  # ∞ − ∞
    index = tuple(int(i) for i in np.unravel_index(np.argmax(error), y.shape))
    values = f"{y[index]:.10g} by the forward, {wanted[index]:.10g} by the reference"
    raise GradientError(verdict, f"{name}at index {index}: {values}", op=op.name)
