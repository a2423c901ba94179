"""Call: the inputs and attributes of one call of an op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine import Op, registry
from . import core
from .core.differentiable import Differentiable, as_array
from .inputs import is_floating, plain
from .show import show
from .subject import Subject
from .values import Array

# An op, the name of a registered one, or a result of `@op`; or a function of arrays with its vjp.
OpLike = Op | str | Callable[..., Any]
Target = Op | Differentiable
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


def target_of(fn: OpLike | Differentiable) -> Target:
    """A Differentiable as it is; otherwise as `find_op`."""
    return fn if isinstance(fn, Differentiable) else find_op(fn)


def input_names(target: Target, call: Call) -> list[str]:
    """A name for each input of the call. Inputs of a variadic op get a number: `xs[0]`."""
    if isinstance(target, Differentiable):
        return target.names(len(call.inputs))
    if target.variadic:
        return [f"{target.inputs[0]}[{k}]" for k in range(len(call.inputs))]
    return list(target.inputs[: len(call.inputs)])


def linear_inputs(
    target: Target, call: Call, subject: core.Subject, linear_in: Sequence[str]
) -> list[int]:
    """The inputs to differentiate by that `linear_in` names, by number."""
    names = input_names(target, call)
    return [k for k in subject.wrt if k < len(names) and names[k].split("[")[0] in linear_in]


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


def checked_subject(target: Target, call: Call) -> core.Subject | None:
    """The call as a Subject, of an op or of a function of arrays. None as in `subject_of`."""
    if isinstance(target, Op):
        return subject_of(target, call)
    if not target.extra and not any(is_floating(as_array(x)) for x in call.inputs):
        return None
    return target.with_attributes(call.attributes).subject(
        call.inputs, names=input_names(target, call)
    )


def run_on_arrays(target: Target, call: Call) -> Any:
    """The outputs of the call, for arrays."""
    inputs = [plain(x) for x in call.inputs]
    if isinstance(target, Op):
        return target.record(*inputs, **call.attributes)
    return target.value(*inputs, *target.extra.values(), **call.attributes)


def first(result: Any) -> Any:
    """The first output of an op that may return several."""
    return result[0] if isinstance(result, tuple) else result
