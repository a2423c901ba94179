"""check_op: everything that must hold for an op, in one line."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from hypothesis.strategies import SearchStrategy
from numpy.typing import ArrayLike

from ..engine import Op
from . import core
from .calls import (
    Call,
    Input,
    OpLike,
    Target,
    checked_subject,
    first,
    input_names,
    linear_inputs,
    run_on_arrays,
    target_of,
)  # fmt: skip
from .check import check_kink
from .compare import close, same_bits
from .core.differentiable import Differentiable
from .differences import Function
from .entries import Convention, Reference, entry_for, strategy_for
from .errors import GradientError
from .inputs import is_floating, plain
from .properties import OpTrial
from .report import checking
from .search import Search
from .snippets import snippet
from .subject import Subject
from .trial import Trial
from .values import Array, signed

REPETITIONS = 32  # of a call that failed, to see whether its gradients vary
Kink = tuple[Function, ArrayLike, ArrayLike]  # arguments of `check_kink`


def check_op(
    op: OpLike | Differentiable | None = None,
    strategy: SearchStrategy[Call] | None = None,
    reference: Reference | None = None,
    linear_in: Sequence[str] = (),
    conventions: Iterable[Convention | Kink] = (),
    second_order: bool = True,
    *,
    forward: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
    allow_unseen: bool = False,
) -> None:
    """Check everything that holds for every op, on calls that Hypothesis draws.

    - `op`: the result of `@op`, or the name of a registered op; or a `Differentiable`, such as a
      function of another library that `testing.adapters` wraps;
    - `forward`, `vjp`: in place of `op`, a function of arrays and its vjp. For inputs `xs` and the
      cotangent `g` of the output, `vjp(g, *xs)` returns the gradients of the floating-point inputs.
      Both get the attributes of a call by keyword;
    - `strategy`: draws a `Call`; by default the strategy given to `register_strategy`;
    - `reference`: takes the inputs as arrays and the attributes, and returns the outputs by
      definition;
    - `linear_in`: names of inputs that the op is linear in;
    - `conventions`: choices at kinks, as arguments of `check_kink` (function, x, expected gradient)
      or of `check_convention` (Call, input, expected gradient);
    - `second_order`: False for vjps that accept arrays only, which have no derivatives of their
      own. Of a Differentiable it is checked if that has `second`;
    - `allow_unseen`: accept points where differences cannot tell, and kinks. By default they are
      failures.

    The options registered with the strategy apply too. The check covers:

    - first and second derivatives, against differences;
    - ⟨Au, v⟩ = ⟨u, Aᵀv⟩ for inputs that the op is linear in;
    - vjps: linear in the cotangent, the same bits twice, the shape and dtype of the input (also in
      float32), no write to anything, no shared memory;
    - calls: the same result for arrays as for Tensors, and for any layout in memory; no call
      disturbs another.

    The Hypothesis profile sets the number of examples. After a failure, the search for a smaller
    call that fails takes about as long again.

    Raises GradientError for the smallest failing call found, LookupError if there is no strategy,
    and ValueError if no call had an element to differentiate by. Raises TypeError if the function
    to check is not one of `op`, or `forward` with `vjp`.

    >>> import tinygrad_cnn as tc
    >>> check_op(tc.relu, conventions=[(tc.relu, [0.0], [0.0])])
    >>> check_op("mul", reference=lambda a, b: a * b)
    >>> from tinygrad_cnn.testing import separated_arrays
    >>> calls = separated_arrays().map(lambda x: Call((x,), {"power": 3}))
    >>> check_op(
    ...     forward=lambda x, power: x**power,
    ...     vjp=lambda g, x, power: g * power * x ** (power - 1),
    ...     strategy=calls,
    ... )
    """
    __tracebackhide__ = True
    target = _target(op, forward, vjp)
    entry = entry_for(target) if isinstance(target, Op) else None
    if strategy is None and isinstance(target, Differentiable):
        raise LookupError(f"{target.name}: a function of arrays needs strategy=, which draws Calls")
    strategy = strategy_for(target) if strategy is None else strategy  # type: ignore[arg-type]

    def check(call: Call) -> bool:
        return check_call(
            target, call, reference, linear_in,
            second_order=second_order, allow_unseen=allow_unseen,
        )  # fmt: skip

    search = Search(target.name, check, partial(_is_steady, target))
    module = target.forward.__module__ if isinstance(target, Op) else target.module
    with checking(target.name, module):
        search.run(strategy)
        if not search.checked:
            raise ValueError(
                f"{target.name}: nothing was checked: no call drawn had an element to "
                "differentiate by"
            )
        for subject, x, expected in (*conventions, *(entry.conventions if entry else ())):
            if isinstance(subject, Call):
                check_convention(target, subject, str(x), expected)
            else:
                check_kink(subject, x, expected)


def _target(
    op: OpLike | Differentiable | None,
    forward: Callable[..., Any] | None,
    vjp: Callable[..., Any] | None,
) -> Target:
    """The op, or the function of arrays with its vjp. Raises TypeError unless there is just one."""
    if op is None and forward is not None and vjp is not None:
        return Differentiable(forward, vjp)
    if op is None or forward is not None or vjp is not None:
        raise TypeError("check_op: wanted an op, or forward= and vjp= together")
    return target_of(op)


def _is_steady(target: Target, call: Call) -> bool:
    """Whether the gradients of a call have the same bits each time."""
    found = []
    for _ in range(REPETITIONS):  # each of copies, which the op may write to
        try:
            subject = checked_subject(target, copy.deepcopy(call))
            if subject is None:
                return True
            rng = np.random.default_rng(0)
            with np.errstate(all="ignore"):
                gs = [signed(rng, y.shape, y.dtype) for y in subject.value(subject.xs)]
            found.append([np.array(g) for g in subject.vjp(subject.xs, gs)])
        except Exception:  # another failure
            return True
    return all(same_bits(a, b) for one in found[1:] for a, b in zip(found[0], one, strict=True))


def check_convention(
    op: OpLike | Differentiable, call: Call, input: str, expected: ArrayLike
) -> None:
    """`check_kink` of an op: for that input of the call, the gradient of Σ y is `expected`.

    >>> check_convention("abs", Call((np.array([0.0, -2.0]),)), "x", [0.0, -1.0])
    """
    target = target_of(op)
    k = input_names(target, call).index(input)
    name = f"{target.name} in {input}"
    x: Any = call.inputs[k]
    fn: Any
    if isinstance(target, Op):

        def fn(x: Any) -> Any:
            inputs = (*call.inputs[:k], x, *call.inputs[k + 1 :])
            return first(target.record(*inputs, **call.attributes))

        fn.__name__ = name
    else:
        fn = target.with_attributes(call.attributes).of_input(call.inputs, k, name)
    code = partial(
        snippet, target, call, "check_convention", input, np.asarray(plain(expected)).tolist()
    )
    _with_snippet(target, call, code, "convention", lambda: check_kink(fn, x, expected))


def check_call(
    op: OpLike | Differentiable,
    call: Call,
    reference: Reference | None = None,
    linear_in: Sequence[str] = (),
    constants: Sequence[str] = (),
    second_order: bool = True,
    *,
    allow_unseen: bool = False,
) -> bool:
    """Check one call, as `check_op` does. Returns whether there was an element to differentiate by.

    `constants` names floating-point inputs that have no gradient on purpose. The other arguments
    and the errors are as in `check_op`.
    """
    target = target_of(op)
    if not isinstance(call, Call):
        raise TypeError(f"{target.name}: the strategy must draw Calls, got {type(call).__name__}")
    entry = entry_for(target) if isinstance(target, Op) else None
    registered = entry.reference if entry else None
    shown: dict[str, Any] = {"linear_in": tuple(linear_in), "constants": tuple(constants)}
    if entry is not None and isinstance(target, Op):
        linear_in, constants = (*linear_in, *entry.linear_in), (*constants, *entry.constants)
        if not target.forward.__module__.startswith("tinygrad_cnn.ops."):  # no other process has it
            shown = {"linear_in": linear_in, "constants": constants, "aliases": entry.aliases}
    options = {name: value for name, value in shown.items() if value}
    if not second_order:
        options["second_order"] = False
    if allow_unseen:
        options["allow_unseen"] = True
    code = partial(snippet, target, call, "check_call", **options)
    before = [x.copy() if isinstance(x, np.ndarray) else x for x in call.inputs]
    for wanted in filter(None, (reference, registered)):
        again = partial(code, reference=wanted)
        _with_snippet(target, call, again, "reference", partial(_agrees, target, call, wanted))
    if isinstance(target, Op):
        _has_vjps(target, call, constants)
    checked: list[bool] = []

    def run() -> None:
        subject = checked_subject(target, call)
        checked.append(subject is not None and any(subject.xs[k].size for k in subject.wrt))
        if subject is not None:
            _trial(target, call, subject, linear_in).run(second_order, allow_unseen)

    _with_snippet(target, call, code, "", run)
    _with_snippet(target, call, code, "input", lambda: _unchanged(target, call, before))
    return checked[0]


def _trial(target: Target, call: Call, subject: core.Subject, linear_in: Sequence[str]) -> Trial:
    if isinstance(target, Op) and isinstance(subject, Subject):
        return OpTrial(target, call, subject, linear_in)
    return Trial(subject, linear_inputs(target, call, subject, linear_in))


def _has_vjps(op: Op, call: Call, constants: Sequence[str]) -> None:
    for name, x in zip(op.inputs, call.inputs, strict=False):
        if is_floating(x) and name not in op.vjps and name not in constants:
            raise GradientError(
                "no vjp", "name it in `constants` if that is meant", op=op.name, input=name
            )


def _with_snippet(
    target: Target, call: Call, code: Callable[[], str], check: str, run: Callable[[], None]
) -> None:
    """Run a check. Any exception becomes a GradientError with the snippet that `code` makes."""
    try:
        run()
    except GradientError as error:
        error.check = error.check or check
        error.snippet, error.call = code, call
        raise
    except Exception as problem:
        failure = GradientError(f"raised {type(problem).__name__}: {problem}", "", op=target.name)
        failure.check = "no exception"
        failure.snippet, failure.call = code, call
        raise failure from problem


def _unchanged(target: Target, call: Call, before: Sequence[Input]) -> None:
    for k, (x, now) in enumerate(zip(before, call.inputs, strict=True)):
        if isinstance(x, np.ndarray) and not same_bits(x, np.asarray(now)):
            name = input_names(target, call)[k].split("[")[0]
            call.inputs = tuple(before)  # the snippet shows the call before the change
            raise GradientError("input changed", op=target.name, input=f"{name} {x.shape}")


def _agrees(target: Target, call: Call, reference: Reference) -> None:
    """Compare the forward with its reference."""
    arrays = [plain(x) for x in call.inputs]
    before = [x.copy() if isinstance(x, np.ndarray) else x for x in arrays]
    with np.errstate(all="ignore"):
        wanted: Any = reference(*arrays, **call.attributes)
        found = run_on_arrays(target, call)
    _unchanged(target, call, before)
    wanted, found = (tuple(v) if isinstance(v, (tuple, list)) else (v,) for v in (wanted, found))
    returns = target.returns if isinstance(target, Op) else range(1, len(found))
    names = ("", *(f"its {name}: " for name in returns))
    for name, a, b in zip(names, found, wanted, strict=False):
        _same(target, name, np.asarray(plain(a)), np.asarray(b))


def _same(op: Target, name: str, y: Array, wanted: Array) -> None:
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
