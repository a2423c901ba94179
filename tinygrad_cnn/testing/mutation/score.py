"""mutation_score: how many stock mistakes in an op `check_op` notices."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

from ...engine import Op
from ..calls import Call, OpLike, find_op, subject_of
from ..check_op import check_call, check_convention
from ..entries import Convention, Reference, entry_for, strategy_for
from ..errors import GradientError
from ..inputs import flipped, in_float32, plain
from ..subject import GradientFunction, Subject, pull_back
from ..values import Array, signed
from .arguments import arguments_of
from .base import FLOAT32, SECOND_ORDER, TWO, Mutation, Watch
from .forwards import forwards
from .gradients import broadcast_kept, gradients_of
from .kinks import at_kinks

VERDICT_WIDTH = 60  # characters of a verdict in the table
KILLED, EQUIVALENT, SURVIVED = "killed", "equivalent", "SURVIVED"


@dataclass
class Mutant:
    """A wrong copy of an op, and the result of its check.

    - `name`: the mistake; `input`: the input whose gradient is wrong, "" for the forward;
    - `fate`: "killed" if a check failed, "SURVIVED" if none did, "equivalent" if the copy did the
      same as the op on every call;
    - `check`, `verdict`: the check that failed, and its reason;
    - `examples`: the number of calls until then; 0 if only a convention showed the mistake.
    """

    name: str
    input: str
    fate: str = SURVIVED
    check: str = ""
    verdict: str = ""
    examples: int = 0


@dataclass
class Score:
    """The mutants of one op. It prints as a table."""

    op: str
    mutants: list[Mutant] = field(default_factory=list)

    def of(self, fate: str) -> list[Mutant]:
        """The mutants with that fate."""
        return [mutant for mutant in self.mutants if mutant.fate == fate]

    @property
    def survivors(self) -> list[Mutant]:
        """The mutants that no check noticed, though they differ from the op."""
        return self.of(SURVIVED)

    @property
    def killed(self) -> list[Mutant]:
        """The mutants that a check noticed."""
        return self.of(KILLED)

    @property
    def equivalent(self) -> list[Mutant]:
        """The mutants that never differ from the op."""
        return self.of(EQUIVALENT)

    def summary(self) -> str:
        """The numbers of mutants by fate, in one line."""
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
                wide = len(m.verdict) >= VERDICT_WIDTH
                verdict = m.verdict[: VERDICT_WIDTH - 1] + "…" if wide else m.verdict
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
    op: OpLike,
    strategy: SearchStrategy[Call] | None = None,
    *,
    reference: Reference | None = None,
    conventions: Sequence[Convention] = (),
    examples: int = 30,
) -> Score:
    """Make stock mistakes in `op`, and count how many of them the checks of `check_op` notice.

    There are about 30 mistakes for every vjp: the result scaled, shifted, transposed, detached or
    in another dtype; stale, swapped or missing arguments; another choice at kinks and ties. More
    are in the forward together with its vjps. Each mutant is checked on up to `examples` calls,
    drawn once, and at the conventions, until a check fails. The other arguments are as in
    `check_op`.

    Raises LookupError if there is no strategy.

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
    """Up to `number` calls of that strategy, the same calls each time."""
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
    """All stock mistakes for `op`."""
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
    reference: Reference | None,
    kinks: Sequence[Convention],
) -> Mutant:
    """Check a mutant on the calls and then at the kinks, wherever it differs from the op."""
    watch, mutant = Watch(), Mutant(mutation.name, mutation.input, EQUIVALENT)
    wrong = mutation.make(op, watch)
    for number, call in enumerate(calls, 1):
        if _differs(op, wrong, call, mutation, watch):
            mutant.fate, mutant.examples = SURVIVED, number
            if _noticed(mutant, partial(check_call, wrong, copy.deepcopy(call), reference)):
                return mutant
    for call, input, expected in kinks if mutation.input else ():
        if _differs(op, wrong, call, mutation, watch):
            mutant.fate, mutant.examples = SURVIVED, 0
            check = partial(check_convention, wrong, copy.deepcopy(call), input, expected)
            if _noticed(mutant, check):
                return mutant
    return mutant


def _noticed(mutant: Mutant, check: Callable[[], object]) -> bool:
    """Run a check. If it fails, note that in the mutant and return True."""
    try:
        check()
    except GradientError as error:
        mutant.fate, mutant.check, mutant.verdict = KILLED, error.check or "", error.verdict
        return True
    return False


def _differs(op: Op, wrong: Op, call: Call, mutation: Mutation, watch: Watch) -> bool:
    """Whether the mutant differs from the op on this call."""
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
    """The calls that can show the mistake: this one, one at other values, or one in float32."""
    if shown_by != FLOAT32:
        yield call
    if shown_by == TWO:
        yield Call(tuple(flipped(call.inputs)), call.attributes)
    if shown_by == FLOAT32:
        yield Call(tuple(in_float32(call.inputs)), call.attributes)


def _second_order_differs(op: Op, wrong: Op, call: Call) -> bool:
    """Whether second derivatives of the mutant differ from those of the op."""
    found = [_second(subject_of(o, call)) for o in (op, wrong)]
    return any(not np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(*found, strict=True))


def _second(subject: Subject | None) -> list[Array]:
    """The gradient of ⟨gradient, v⟩ with respect to the inputs and the cotangent."""
    if subject is None:
        return []
    rng = np.random.default_rng(0)
    tensors, outputs = subject.run()
    u = signed(rng, outputs[0].shape, outputs[0].dtype)
    gradient = GradientFunction(subject)
    second = Subject(gradient, [*subject.xs, u], [*subject.wrt, len(subject.xs)])
    tensors = second.tensors()
    gradients = gradient(*tensors)
    vs = [signed(rng, d.shape, d.dtype) for d in gradients]
    return [plain(d) for d in pull_back(gradients, [tensors[k] for k in second.wrt], vs)]
