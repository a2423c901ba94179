"""graph_programs: programs drawn at random, with views, writes, hooks, checkpoints, second derivatives.

A list of small integers is drawn. The builder reads them as statements and runs each on the oracle
at once. So every statement is possible where it stands: shapes fit, no kink is near, numbers stay
small. No list is rejected, and a shorter list is a shorter program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from hypothesis import strategies as st

from ..values import separated
from .builder import Builder
from .program import Program
from .statements import KINDS, backward, gradient, new_hook, norm

Numbers = tuple[int, int, int, int, int]

NAMES = "abcd"  # of the leaves
SHAPES = ((2, 3), (3,), (2, 1), (), (3, 2), (1, 3), (2, 2), (3, 1, 2), (1, 2, 3))
VIEWS = re.compile(r"\]$|\.(view|reshape|transpose|expand|unsqueeze)\(")
NOT_OPS = re.compile(r"\.(backward|register_hook|retain_grad|grad)\b")


def add_statement(b: Builder, numbers: Numbers) -> None:
    """Add one statement: of the kind that the first number says, or of the next possible kind."""
    kind, i, j, k, how = numbers
    x = b.pool[-1 - i % len(b.pool)]
    for tried in range(len(KINDS)):
        made = KINDS[(kind + tried) % len(KINDS)](b, x, j, k)
        if made is not None and (made.startswith("=") or NOT_OPS.search(made) or b.may_write(x)):
            break
    else:
        return
    name = b.new_name()
    new = made.startswith("=")
    line = f"{name} {made}" if new else made
    # Libraries disagree on a view that is made in no_grad and whose base is written later.
    if how % 16 == 15 and not (new and VIEWS.search(line)) and not NOT_OPS.search(line):
        line = f"with lib.no_grad():\n    {line}"
    b.add(line, name if new else None, keep=how % 16 in (11, 12, 13, 14))


def build(seed: int, leaves: Iterable[tuple[int, bool]], steps: Iterable[Numbers]) -> Program:
    """The program for these numbers. `leaves` are (number of a shape, requires grad)."""
    b = Builder()
    chosen = list(leaves)
    shapes = [SHAPES[shape % len(SHAPES)] for shape, _ in chosen]
    values = separated(np.random.default_rng(seed), *shapes, avoid=[0.0])
    for name, value, (_, needs) in zip(NAMES, values, chosen, strict=False):
        grad = ", requires_grad=True" if needs else ""
        b.add(f"{name} = real({value.round(2).tolist()}{grad})", name)
        if needs and seed % 4 == 3:
            b.add(f"{name}.register_hook({new_hook(b, seed)})")
    # Hypothesis draws small numbers most often: the seed turns the list of kinds
    turned = [(kind + seed, i, j, k, how) for kind, i, j, k, how in steps]
    if seed % 8 == 7:
        turned.insert(0, (KINDS.index(norm), seed, 0, seed // 8, 0))
    for numbers in turned:
        if not b.stopped:
            add_statement(b, numbers)
    if not b.stopped and seed % 2 and not b.recorded:  # a second derivative
        normalized = re.findall(r"^(\w+) = .*_norm\(", "\n".join(b.lines), re.MULTILINE)
        made = gradient(b, (normalized or b.pool)[-1], seed, 1)
        if made is not None:
            name = b.new_name()
            b.add(f"{name} {made}", name)
    if not b.stopped:
        ends = [n for n in b.pool if b.tensor(n).requires_grad][-3:]
        for n in ends:
            b.add(backward(b, n, 1, 0, retain=n is not ends[-1]))
    return Program(tuple(b.lines))


def graph_programs(*, max_ops: int = 40) -> st.SearchStrategy[Program]:
    """Programs of 1 to `max_ops` statements on up to four leaves, with a backward pass at the end.

    They contain fan-out, reuse, broadcasting, reductions, products, normalisation; views, writes, writes
    through views; detach and no_grad; checkpoints, also nested; hooks, whose calls are counted, and
    retain_grad; several backward passes, with and without retain_graph, of all leaves or to some
    inputs; gradients as tensors, and second derivatives. Some end in an error. Each runs with any
    library that has PyTorch's API.

    >>> import tinygrad_cnn as tc
    >>> from hypothesis import given
    >>> @given(graph_programs(max_ops=10))
    ... def test(program):
    ...     program.check(tc)  # compares it with the oracle, which writes out all Jacobians
    >>> test()
    """
    small = st.integers(0, 63)
    step = st.tuples(st.integers(0, len(KINDS) - 1), small, small, small, st.integers(0, 15))
    leaf = st.tuples(st.integers(0, len(SHAPES) - 1), st.sampled_from([True, True, True, False]))
    # in groups, since Hypothesis nearly always draws short lists, of about six
    groups = st.lists(st.lists(step, min_size=1, max_size=8), min_size=1, max_size=-(-max_ops // 8))
    steps = groups.map(lambda parts: [s for part in parts for s in part][:max_ops])
    return st.builds(build, st.integers(0, 255), st.lists(leaf, min_size=1, max_size=4), steps)
