"""The register of strategies: how to draw calls of each op, and facts about the op for its checks.

The room `ours` has the strategies for the ops of this package. It registers a family of ops when
one of them is first needed. To build them all takes longer than to import the rest of `testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hypothesis.strategies import SearchStrategy
from numpy.typing import ArrayLike

from ..engine import Op
from .calls import Call, OpLike, find_op

# Takes arrays and attributes, and returns the output or a tuple of outputs.
Reference = Callable[..., ArrayLike | tuple[ArrayLike, ...]]
Convention = tuple[Call, str, ArrayLike]  # a call at a kink, an input, the gradient of Σ y for it


class Entry(NamedTuple):
    """How an op is tested. `register_strategy` documents the fields."""

    strategy: SearchStrategy[Call]
    constants: tuple[str, ...] = ()
    linear_in: tuple[str, ...] = ()
    reference: Reference | None = None
    conventions: tuple[Convention, ...] = ()
    aliases: bool = False


registered: dict[str, Entry] = {}
sources: list[Callable[[Op], None]] = []  # each registers the strategy of an op, if it has one


def register_strategy(
    op: OpLike,
    strategy: SearchStrategy[Call] | Callable[[], SearchStrategy[Call]],
    *,
    constants: Sequence[str] = (),
    linear_in: Sequence[str] = (),
    reference: Reference | None = None,
    conventions: Sequence[Convention] = (),
    aliases: bool = False,
) -> None:
    """Register the strategy that draws calls of `op`, for `check_op` and `mutation_score`.

    - `strategy`: draws a `Call`; or a function that returns such a strategy;
    - `constants`: names of floating-point inputs that have no gradient on purpose;
    - `linear_in`: names of inputs that the op is linear in, one at a time;
    - `reference`: takes arrays and attributes, and returns the outputs by definition;
    - `conventions`: triples (call at a kink, name of an input, documented gradient of Σ y for it);
    - `aliases`: the output may share memory with an input, though the op is not a view.

    A second registration replaces the first. Raises ValueError for a name that is not an input.

    >>> import numpy as np, tinygrad_cnn as tc
    >>> from hypothesis import strategies as st
    >>> @tc.op
    ... def example_cube(x):
    ...     return x * x * x
    >>> example_cube.defvjp(x=lambda g, x: 3.0 * g * x * x)
    >>> register_strategy(example_cube, st.just(Call((np.array([1.0, -2.0]),))))
    """
    op = find_op(op)
    for name in (*constants, *linear_in, *(name for _, name, _ in conventions)):
        if name not in op.inputs:
            raise ValueError(f"{op.name} has no input {name!r}: it has {op.inputs}")
    _ask_sources(op)  # so that none of them replaces this entry later
    drawn = strategy() if callable(strategy) else strategy
    registered[op.name] = Entry(
        drawn, tuple(constants), tuple(linear_in), reference, tuple(conventions), aliases
    )


def entry_for(op: OpLike) -> Entry | None:
    """The entry of `op`, or None if no strategy is registered for it."""
    op = find_op(op)
    _ask_sources(op)
    return registered.get(op.name)


def strategy_for(op: OpLike) -> SearchStrategy[Call]:
    """The registered strategy of `op`. Raises LookupError if there is none."""
    entry = entry_for(op)
    if entry is None:
        raise LookupError(
            f"no strategy for {find_op(op).name}: register_strategy(op, strategy), or give one"
        )
    return entry.strategy


def _ask_sources(op: Op) -> None:
    if op.name not in registered:
        for source in sources:
            source(op)
