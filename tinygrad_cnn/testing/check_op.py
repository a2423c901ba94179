"""The one line for an op."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from .calls import Call, entry_for, find_op, snippet, strategy_for, subject_of
from .check import check_kink
from .compare import close
from .differences import is_floating, plain
from .errors import GradientError
from .properties import Trial, first


def check_op(
    op: Any,
    strategy: SearchStrategy[Call] | None = None,
    reference: Callable[..., Any] | None = None,
    linear_in: Sequence[str] = (),
    conventions: Iterable[tuple[Any, Any, Any]] = (),
) -> None:
    """Check everything that holds for every op, on calls that Hypothesis draws.

    `op` is what `@op` made, or a registered op's name; `strategy` draws a `Call` (by default the
    one given to `register_strategy`). `reference` takes the inputs as arrays and the attributes,
    and returns what the forward must; `linear_in` names inputs that it is linear in; `conventions`
    are arguments for `check_kink`: (function, x, expected gradient).

    Checked are: first and second derivatives against central differences; ⟨Au, v⟩ = ⟨u, Aᵀv⟩ where
    it is linear; that the vjps are linear in the cotangent, repeat to the bit, keep shape and dtype
    (float32 too), write to nothing and share no memory; that arrays give what Tensors give, and the
    layout in memory does not matter. The number of examples is the Hypothesis profile's.

    Raises GradientError for the smallest call that fails, LookupError where there is no strategy.

    >>> import tinygrad_cnn as tc
    >>> check_op(tc.relu, conventions=[(tc.relu, [0.0], [0.0])])
    >>> check_op("mul", reference=lambda a, b: a * b)
    """
    op = find_op(op)
    entry = entry_for(op)
    if strategy is None:
        strategy = strategy_for(op)
    linear = (*linear_in, *(entry.linear_in if entry else ()))
    constants = entry.constants if entry else ()

    checked = 0

    def run(call: Call) -> None:
        nonlocal checked
        checked += check_call(op, call, reference, linear, constants)

    run.__name__ = f"check_op_{op.name}"
    phases = [phase for phase in settings().phases if phase is not Phase.explain]
    how = settings(
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=phases,
    )
    how(given(strategy)(run))()
    if not checked:
        raise ValueError(
            f"{op.name}: nothing was checked: no call drawn had an element to differentiate by"
        )
    for fn, x, expected in conventions:
        check_kink(fn, x, expected)


def check_call(
    op: Any,
    call: Call,
    reference: Callable[..., Any] | None = None,
    linear_in: Sequence[str] = (),
    constants: Sequence[str] = (),
) -> bool:
    """What `check_op` checks, of one call; whether there was an element to differentiate by."""
    op = find_op(op)
    if not isinstance(call, Call):
        raise TypeError(f"{op.name}: the strategy must draw Calls, got {type(call).__name__}")
    if reference is not None:
        _agrees(op, call, reference)
    for name, x in zip(op.inputs, call.inputs, strict=False):
        if is_floating(x) and name not in op.vjps and name not in constants:
            raise GradientError(
                "no vjp", "name it in `constants` if that is meant", op=op.name, input=name
            )
    subject = subject_of(op, call)
    if subject is None:
        return False
    try:
        Trial(op, call, subject, linear_in).run()
    except GradientError as error:
        error.snippet = snippet(op, call)
        raise
    except Exception as error:
        raise GradientError(
            f"raised {type(error).__name__}: {error}", op=op.name, snippet=snippet(op, call)
        ) from error
    return any(subject.xs[k].size for k in subject.wrt)


def _agrees(op: Any, call: Call, reference: Callable[..., Any]) -> None:
    arrays = [plain(x) for x in call.inputs]
    with np.errstate(all="ignore"):
        wanted = np.asarray(reference(*arrays, **call.attributes))
        y = np.asarray(plain(first(op.record(*arrays, **call.attributes))))
    if not close(y, wanted):
        error = (
            np.abs(np.subtract(y, wanted, dtype=np.float64)) if y.shape == wanted.shape else None
        )
        at = (
            None
            if error is None
            else tuple(int(i) for i in np.unravel_index(error.argmax(), y.shape))
        )
        raise GradientError(
            "forward disagrees with its reference",
            f"shape {y.shape}, wanted {wanted.shape}"
            if at is None
            else f"at {at}: {y[at]:.10g}, wanted {wanted[at]:.10g}",
            op=op.name,
            snippet=f"call = {call!r}",
        )
