"""Call: the inputs and attributes of one call of an op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine import Op, registry
from .inputs import is_floating
from .show import show
from .subject import Subject
from .values import Array

OpLike = Op | str | Callable[..., Any]  # an op, the name of a registered one, or a result of `@op`
Input = Array | float | None


@dataclass
class Call:
    """One call of an op: `inputs` by position, `attributes` by keyword.

    An input is an array, a number or None.
    """

    inputs: tuple[Input, ...]
    attributes: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Call({show(self.inputs)}, {show(self.attributes)})"


def find_op(op: OpLike) -> Op:
    """The op itself, given the op, the function that `@op` returned, or the name of the op.

    Raises TypeError for anything else.
    """
    if isinstance(op, str) and op in registry:
        return registry[op]
    found = op if isinstance(op, Op) else getattr(op, "op", None)
    if found is None and hasattr(op, "edge"):  # a public function: the op of its name
        found = registry.get(getattr(op, "__name__", ""))
    if not isinstance(found, Op):
        raise TypeError(
            f"not an op: {op!r}; wanted a function that @op made, or the name of a registered op"
        )
    return found


def input_names(op: Op, call: Call) -> list[str]:
    """A name for each input of the call. Inputs of a variadic op get a number: `xs[0]`."""
    if op.variadic:
        return [f"{op.inputs[0]}[{k}]" for k in range(len(call.inputs))]
    return list(op.inputs[: len(call.inputs)])


def subject_of(op: Op, call: Call, only: Sequence[str] | None = None) -> Subject | None:
    """The call as a Subject: its first output, as a function of all floating inputs with a vjp.

    `only` restricts these inputs to some names. Returns None if no input is left.
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
        return first(op.record(*xs, **call.attributes))

    return Subject(fn, call.inputs, wrt, name=op.name, names=names)


def first(result: Any) -> Any:
    """The first output of an op that may return several."""
    return result[0] if isinstance(result, tuple) else result
