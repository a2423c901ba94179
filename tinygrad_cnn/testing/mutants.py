"""How many stock mistakes `check_op` notices in an op."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from ..engine import Op
from .calls import Call, Convention, entry_for, find_op, strategy_for, subject_of
from .check_op import check_call, check_convention
from .differences import is_floating, plain
from .errors import GradientError
from .forward_mutations import forwards
from .kink_mutations import at_kinks
from .mutations import (
    FLOAT32,
    SECOND_ORDER,
    TWO,
    Mutation,
    Watch,
    arguments_of,
    broadcast_kept,
    gradients_of,
)
from .subject import Subject, gradient_function, pull_back
from .values import signed

WIDEST = 60  # letters of a verdict in the table
KILLED, EQUIVALENT, SURVIVED = "killed", "equivalent", "SURVIVED"


@dataclass
class Mutant:
    """A wrong copy of an op, and what became of it.

    `fate` is "killed"; "SURVIVED"; or "equivalent", where on no call drawn it did anything else
    than the op. `check` and `verdict` are of the check that killed it, `examples` how many calls
    had to be drawn: 0, where it needed a convention.
    """

    name: str
    input: str
    fate: str = SURVIVED
    check: str = ""
    verdict: str = ""
    examples: int = 0


@dataclass
class Score:
    """The mutants of one op; prints as a table.

    `survivors`, `killed` and `equivalent` are those of that fate.
    """

    op: str
    mutants: list[Mutant] = field(default_factory=list)

    def of(self, fate: str) -> list[Mutant]:
        """The mutants of that fate."""
        return [mutant for mutant in self.mutants if mutant.fate == fate]

    @property
    def survivors(self) -> list[Mutant]:
        """Those that no check noticed, though they do something else than the op."""
        return self.of(SURVIVED)

    @property
    def killed(self) -> list[Mutant]:
        """Those that a check noticed."""
        return self.of(KILLED)

    @property
    def equivalent(self) -> list[Mutant]:
        """Those that never differ from the op."""
        return self.of(EQUIVALENT)

    def summary(self) -> str:
        """One line."""
        most = max((m.examples for m in self.killed), default=0)
        return (
            f"{self.op}: {len(self.killed)} killed, {len(self.survivors)} survived, "
            f"{len(self.equivalent)} equivalent; at most {most} example{'s' * (most != 1)} needed"
        )

    def __str__(self) -> str:
        rows = [("input", "mistake", "noticed by", "verdict", "examples")]
        for m in self.mutants:
            if m.fate != EQUIVALENT:
                by = m.check if m.fate == KILLED else m.fate
                verdict = m.verdict if len(m.verdict) < WIDEST else m.verdict[: WIDEST - 1] + "…"
                rows.append((m.input or "-", m.name, by, verdict, str(m.examples or "kink")))
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        lines = [
            "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[4].rjust(8)])
            for row in rows
        ]
        rest = sorted({f"{m.name} ({m.input})" if m.input else m.name for m in self.equivalent})
        same = [f"no mistake here: {', '.join(rest)}"] if rest else []
        return "\n".join([self.summary(), *("  " + line for line in [*lines, *same])])


def mutation_score(
    op: Any,
    strategy: SearchStrategy[Call] | None = None,
    *,
    reference: Callable[..., Any] | None = None,
    conventions: Sequence[Convention] = (),
    examples: int = 30,
) -> Score:
    """Make stock mistakes in `op`, and see which of them the checks of `check_op` notice.

    Every vjp is spoiled in some 30 ways (its result scaled, shifted, transposed, cut off, in another
    dtype; given stale, swapped or missing arguments; another choice at kinks and ties), and the
    forward together with its vjps. Each mutant is checked on up to `examples` calls, drawn once, and
    at the conventions, until a check fails. `op`, `strategy`, `reference` and `conventions` are as
    for `check_op`.

    >>> import tinygrad_cnn as tc
    >>> score = mutation_score("sin", examples=10)
    >>> score.survivors
    []
    >>> next((m.check, m.verdict) for m in score.killed if m.name == "cut off from what is saved")
    ('second order is right', 'second derivative wrong')
    """
    op = find_op(op)
    entry = entry_for(op)
    calls = draw(strategy_for(op) if strategy is None else strategy, examples)
    kinks = (*conventions, *(entry.conventions if entry else ()))
    score = Score(op.name)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for mutation in mutations_of(op, calls):
            score.mutants.append(_tried(op, mutation, calls, reference, kinks))
    return score


def draw(strategy: SearchStrategy[Call], number: int) -> list[Call]:
    """Calls of that strategy, the same ones each time; those with nothing in them are left out."""
    calls: list[Call] = []

    @settings(
        max_examples=number, phases=[Phase.generate], database=None, deadline=None,
        derandomize=True, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(call: Call) -> None:
        calls.append(call)

    collect()
    return calls


def mutations_of(op: Op, calls: Sequence[Call]) -> Iterator[Mutation]:
    """All stock mistakes that can be made in `op`."""
    for input in op.vjps:
        yield from gradients_of(input)
        yield from arguments_of(op, input, calls)
        yield from at_kinks(op, input)
    yield from broadcast_kept(op)
    yield from forwards(op, calls)


def _tried(
    op: Op,
    mutation: Mutation,
    calls: Sequence[Call],
    reference: Callable[..., Any] | None,
    kinks: Sequence[Convention],
) -> Mutant:
    """Check a mutant on the calls, then at the kinks, where it does something else than the op."""
    watch, mutant = Watch(), Mutant(mutation.name, mutation.input, EQUIVALENT)
    wrong = mutation.make(op, watch)
    for number, call in enumerate(calls, 1):
        if _differs(op, wrong, call, mutation, watch):
            mutant.fate, mutant.examples = SURVIVED, number
            if _noticed(mutant, partial(check_call, wrong, copy.deepcopy(call), reference)):
                return mutant
    for call, *rest in kinks if mutation.input else ():
        if _differs(op, wrong, call, mutation, watch):
            mutant.fate, mutant.examples = SURVIVED, 0
            if _noticed(mutant, partial(check_convention, wrong, copy.deepcopy(call), *rest)):
                return mutant
    return mutant


def _noticed(mutant: Mutant, check: Callable[[], Any]) -> bool:
    try:
        check()
    except GradientError as error:
        mutant.fate, mutant.check, mutant.verdict = KILLED, error.check or "", error.verdict
        return True
    return False


def _differs(op: Op, wrong: Op, call: Call, mutation: Mutation, watch: Watch) -> bool:
    """Whether the mutant does anything else than the op, on this call."""
    watch.changed = False
    only = [mutation.input] if mutation.input else None
    try:
        if mutation.shown_by == SECOND_ORDER:
            return _second_order_differs(op, wrong, call)
        for seed, given in enumerate(_variants(copy.deepcopy(call), mutation.shown_by)):
            subject = subject_of(wrong, given, only)
            if subject is not None:
                tensors, (y,) = subject.run()
                u = signed(np.random.default_rng(seed), y.shape, y.dtype)
                pull_back([y], [tensors[k] for k in subject.wrt], [u])
    except Exception:
        return True
    return watch.changed


def _variants(call: Call, shown_by: str) -> Iterator[Call]:
    """The call; at other values too; or in float32."""
    if shown_by != FLOAT32:
        yield call
    if shown_by == TWO:
        xs = [np.array(np.flip(x)) if is_floating(x) else x for x in call.inputs]
        yield Call(tuple(xs), call.attributes)
    if shown_by == FLOAT32:
        xs = [x.astype(np.float32) if is_floating(x) else x for x in call.inputs]
        yield Call(tuple(xs), call.attributes)


def _second_order_differs(op: Op, wrong: Op, call: Call) -> bool:
    found = [_second(subject_of(o, call)) for o in (op, wrong)]
    return any(not np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(*found, strict=True))


def _second(subject: Subject | None) -> list[Any]:
    """The gradient of ⟨gradient, v⟩ in the inputs and in the cotangent."""
    if subject is None:
        return []
    rng = np.random.default_rng(0)
    tensors, outputs = subject.run()
    u = signed(rng, outputs[0].shape, outputs[0].dtype)
    gradient = gradient_function(subject)
    second = Subject(gradient, [*subject.xs, u], [*subject.wrt, len(subject.xs)])
    tensors = second.tensors()
    gradients = gradient(*tensors)
    vs = [signed(rng, d.shape, d.dtype) for d in gradients]
    return [plain(d) for d in pull_back(gradients, [tensors[k] for k in second.wrt], vs)]
