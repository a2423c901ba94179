"""Calls of an op, the strategies that draw them, and the register of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis.strategies import SearchStrategy

from ..engine import Op, registry
from .differences import is_floating
from .errors import show
from .subject import Subject


@dataclass
class Call:
    """The inputs (positional: arrays, numbers or None) and attributes (keywords) of one call."""

    inputs: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Call({show(self.inputs)}, {show(self.attributes)})"


Convention = tuple[Call, str, Any]  # a call at a kink, one of its inputs, the gradient of Σ y there


class Entry(NamedTuple):
    """What draws calls of an op, its inputs that get no gradient, those that it is linear in, what
    its forward must return, what is chosen where it has a kink, and whether y may show the memory
    of an input though the op is no view.
    """

    strategy: SearchStrategy[Call]
    constants: tuple[str, ...] = ()
    linear_in: tuple[str, ...] = ()
    reference: Callable[..., Any] | None = None
    conventions: tuple[Convention, ...] = ()
    aliases: bool = False


_entries: dict[str, Entry] = {}


def find_op(op: Any) -> Op:
    """The registered op, given itself, the function that `@op` made, or its name."""
    if isinstance(op, str) and op in registry:
        return registry[op]
    found = op if isinstance(op, Op) else getattr(op, "op", None)
    if found is None and hasattr(op, "edge"):  # a public function: the op of its name
        found = registry.get(op.__name__)
    if not isinstance(found, Op):
        raise TypeError(f"not an op: {op!r}; wanted what @op made, or the name of a registered op")
    return found


def register_strategy(
    op: Any,
    strategy: SearchStrategy[Call] | Callable[[], SearchStrategy[Call]],
    *,
    constants: Sequence[str] = (),
    linear_in: Sequence[str] = (),
    reference: Callable[..., Any] | None = None,
    conventions: Sequence[Convention] = (),
    aliases: bool = False,
) -> None:
    """Say how to draw calls of `op`, for `check_op`.

    `constants` names the inputs of floating point which it has, on purpose, no gradient for, and
    `linear_in` those that it is linear in (one at a time). `reference` takes arrays and attributes
    and returns what the forward must; `conventions` are triples (call, input, gradient): at a kink,
    the documented gradient of Σ y for that input. `aliases` allows that y shows the memory of an
    input, of an op that is not registered as a view.

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
    drawn = strategy() if callable(strategy) else strategy
    _entries[op.name] = Entry(
        drawn, tuple(constants), tuple(linear_in), reference, tuple(conventions), aliases
    )


def entry_for(op: Any) -> Entry | None:
    """How `op` is tested, or None where no strategy is registered for it."""
    from . import (  # noqa: F401  # our ops: they need this module
        activation_strategies,
        loss_strategies,
        network_strategies,
        op_strategies,
        tensor_strategies,
    )

    return _entries.get(find_op(op).name)


def strategy_for(op: Any) -> SearchStrategy[Call]:
    """The registered strategy of `op`; LookupError where there is none."""
    entry = entry_for(op)
    if entry is None:
        raise LookupError(
            f"no strategy for {find_op(op).name}: register_strategy(op, strategy), or give one"
        )
    return entry.strategy


def input_names(op: Op, call: Call) -> list[str]:
    """A name for each input of the call."""
    if op.variadic:
        return [f"{op.inputs[0]}[{k}]" for k in range(len(call.inputs))]
    return list(op.inputs[: len(call.inputs)])


def subject_of(op: Op, call: Call, only: Sequence[str] | None = None) -> Subject | None:
    """What is to be checked of a call: its first output, by all floating inputs that have a vjp.

    None where there are none. `only` limits it to those inputs.
    """
    names = input_names(op, call)
    wrt = [
        k
        for k, (name, x) in enumerate(zip(names, call.inputs, strict=True))
        if is_floating(x)
        and (base := name.split("[")[0]) in op.vjps
        and (only is None or base in only)
    ]
    if not wrt:
        return None

    def fn(*xs: Any) -> Any:
        result = op.record(*xs, **call.attributes)
        return result[0] if isinstance(result, tuple) else result

    return Subject(fn, call.inputs, wrt, name=op.name, names=names)


def snippet(op: Op, call: Call, line: str = "testing.check_call(op, call)") -> str:
    """Code that checks this one call of `op` again, by `line`."""
    module = op.forward.__module__
    lines = ["import numpy as np"]
    if not module.startswith("tinygrad_cnn.ops."):
        lines.append(f"import {module}  # which makes {op.name}")
    lines += [
        "from tinygrad_cnn import testing",
        "from tinygrad_cnn.engine import registry",
        f"op = registry[{op.name!r}]",
        f"call = testing.{call!r}",
        line,
    ]
    return "\n".join(lines)
