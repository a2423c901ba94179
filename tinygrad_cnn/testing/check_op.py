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
from .calls import Call, Input, OpLike, find_op, first, subject_of
from .check import check_kink
from .compare import close, same_bits
from .differences import Function
from .entries import Convention, Reference, entry_for, strategy_for
from .errors import GradientError
from .inputs import is_floating, plain
from .properties import OpTrial
from .report import checking
from .search import Search
from .snippets import snippet
from .values import Array, signed

REPETITIONS = 8  # of a call that failed, to see whether its gradients vary
Kink = tuple[Function, ArrayLike, ArrayLike]  # arguments of `check_kink`


def check_op(
    op: OpLike,
    strategy: SearchStrategy[Call] | None = None,
    reference: Reference | None = None,
    linear_in: Sequence[str] = (),
    conventions: Iterable[Convention | Kink] = (),
    second_order: bool = True,
) -> None:
    """Check everything that holds for every op, on calls that Hypothesis draws.

    - `op`: the result of `@op`, or the name of a registered op;
    - `strategy`: draws a `Call`; by default the strategy given to `register_strategy`;
    - `reference`: takes the inputs as arrays and the attributes, and returns the outputs by
      definition;
    - `linear_in`: names of inputs that the op is linear in;
    - `conventions`: choices at kinks, as arguments of `check_kink` (function, x, expected gradient)
      or of `check_convention` (Call, input, expected gradient);
    - `second_order`: False for vjps that accept arrays only, which have no derivatives of their
      own.

    The options registered with the strategy apply too. The check covers:

    - first and second derivatives, against central differences;
    - ⟨Au, v⟩ = ⟨u, Aᵀv⟩ for inputs that the op is linear in;
    - vjps: linear in the cotangent, the same bits twice, the shape and dtype of the input (also in
      float32), no write to anything, no shared memory;
    - calls: the same result for arrays as for Tensors, and for any layout in memory; no call
      disturbs another.

    The Hypothesis profile sets the number of examples. After a failure, the search for a smaller
    call that fails takes about as long again.

    Raises GradientError for the smallest failing call found, LookupError if there is no strategy,
    and ValueError if no call had an element to differentiate by.

    >>> import tinygrad_cnn as tc
    >>> check_op(tc.relu, conventions=[(tc.relu, [0.0], [0.0])])
    >>> check_op("mul", reference=lambda a, b: a * b)
    """
    __tracebackhide__ = True
    op = find_op(op)
    entry = entry_for(op)
    if strategy is None:
        strategy = strategy_for(op)

    def check(call: Call) -> bool:
        return check_call(op, call, reference, linear_in, second_order=second_order)

    search = Search(op.name, check, partial(_is_steady, op))
    with checking(op.name, op.forward.__module__):
        search.run(strategy)
        if not search.checked:
            raise ValueError(
                f"{op.name}: nothing was checked: no call drawn had an element to differentiate by"
            )
        for subject, x, expected in (*conventions, *(entry.conventions if entry else ())):
            if isinstance(subject, Call):
                check_convention(op, subject, str(x), expected)
            else:
                check_kink(subject, x, expected)


def _is_steady(op: Op, call: Call) -> bool:
    """Whether the gradients of a call have the same bits each time."""
    found = []
    for _ in range(REPETITIONS):  # each of copies, which the op may write to
        subject = subject_of(op, copy.deepcopy(call))
        if subject is None:
            return True
        try:
            _, (y,) = subject.run()
            g = signed(np.random.default_rng(0), y.shape, y.dtype)
            found.append(subject.gradients([g]))
        except Exception:  # another failure
            return True
    return all(same_bits(a, b) for one in found[1:] for a, b in zip(found[0], one, strict=True))


def check_convention(op: OpLike, call: Call, input: str, expected: ArrayLike) -> None:
    """`check_kink` of an op: for that input of the call, the gradient of Σ y is `expected`.

    >>> check_convention("abs", Call((np.array([0.0, -2.0]),)), "x", [0.0, -1.0])
    """
    op = find_op(op)
    k = op.inputs.index(input)

    def fn(x: Any) -> Any:
        inputs = (*call.inputs[:k], x, *call.inputs[k + 1 :])
        return first(op.record(*inputs, **call.attributes))

    fn.__name__ = f"{op.name} in {input}"
    x: Any = call.inputs[k]
    code = partial(
        snippet, op, call, "check_convention", input, np.asarray(plain(expected)).tolist()
    )
    _with_snippet(op, call, code, "convention", lambda: check_kink(fn, x, expected))


def check_call(
    op: OpLike,
    call: Call,
    reference: Reference | None = None,
    linear_in: Sequence[str] = (),
    constants: Sequence[str] = (),
    second_order: bool = True,
) -> bool:
    """Check one call, as `check_op` does. Returns whether there was an element to differentiate by.

    `constants` names floating-point inputs that have no gradient on purpose. The other arguments
    and the errors are as in `check_op`.
    """
    op = find_op(op)
    if not isinstance(call, Call):
        raise TypeError(f"{op.name}: the strategy must draw Calls, got {type(call).__name__}")
    entry = entry_for(op)
    registered = entry.reference if entry else None
    shown: dict[str, Any] = {"linear_in": tuple(linear_in), "constants": tuple(constants)}
    if entry is not None:
        linear_in, constants = (*linear_in, *entry.linear_in), (*constants, *entry.constants)
        if not op.forward.__module__.startswith("tinygrad_cnn.ops."):  # no other process has it
            shown = {"linear_in": linear_in, "constants": constants, "aliases": entry.aliases}
    options = {name: value for name, value in shown.items() if value}
    if not second_order:
        options["second_order"] = False
    code = partial(snippet, op, call, "check_call", **options)
    before = [x.copy() if isinstance(x, np.ndarray) else x for x in call.inputs]
    for wanted in filter(None, (reference, registered)):
        again = partial(code, reference=wanted)
        _with_snippet(op, call, again, "reference", partial(_agrees, op, call, wanted))
    for name, x in zip(op.inputs, call.inputs, strict=False):
        if is_floating(x) and name not in op.vjps and name not in constants:
            raise GradientError(
                "no vjp", "name it in `constants` if that is meant", op=op.name, input=name
            )
    subject = subject_of(op, call)
    if subject is not None:
        _with_snippet(
            op, call, code, "", lambda: OpTrial(op, call, subject, linear_in).run(second_order)
        )
    _with_snippet(op, call, code, "input", lambda: _unchanged(op, call, before))
    return subject is not None and any(subject.xs[k].size for k in subject.wrt)


def _with_snippet(
    op: Op, call: Call, code: Callable[[], str], check: str, run: Callable[[], None]
) -> None:
    """Run a check. Any exception becomes a GradientError with the snippet that `code` makes."""
    try:
        run()
    except GradientError as error:
        error.check = error.check or check
        error.snippet, error.call = code, call
        raise
    except Exception as problem:
        failure = GradientError(f"raised {type(problem).__name__}: {problem}", "", op=op.name)
        failure.check = "no exception"
        failure.snippet, failure.call = code, call
        raise failure from problem


def _unchanged(op: Op, call: Call, before: Sequence[Input]) -> None:
    for k, (x, now) in enumerate(zip(before, call.inputs, strict=True)):
        if isinstance(x, np.ndarray) and not same_bits(x, np.asarray(now)):
            call.inputs = tuple(before)  # the snippet shows the call before the change
            raise GradientError(
                "input changed", op=op.name, input=f"{op.inputs[0 if op.variadic else k]} {x.shape}"
            )


def _agrees(op: Op, call: Call, reference: Reference) -> None:
    """Compare the forward with its reference."""
    arrays = [plain(x) for x in call.inputs]
    before = [x.copy() if isinstance(x, np.ndarray) else x for x in arrays]
    with np.errstate(all="ignore"):
        wanted = reference(*arrays, **call.attributes)
        found: Any = op.record(*arrays, **call.attributes)
    _unchanged(op, call, before)
    wanted, found = (v if isinstance(v, tuple) else (v,) for v in (wanted, found))
    names = ("", *(f"its {name}: " for name in op.returns))
    for name, a, b in zip(names, found, wanted, strict=False):
        _same(op, name, np.asarray(plain(a)), np.asarray(b))


def _same(op: Op, name: str, y: Array, wanted: Array) -> None:
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
