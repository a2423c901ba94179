"""Ops: a forward on arrays, and a vjp for each differentiable input.

The parameters of the vjps name the values that a node saves, and it saves nothing else: an input
by its name, the output as `y`, the shape of an input as `x_shape`, a residual that the forward
returned, an attribute (keyword-only parameter) by its name. `g` is the cotangent of the output.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from types import FunctionType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from ..tensor import Tensor

Vjp = Callable[..., Any]
Choose = Callable[[Any], tuple[Any, ...]]


def chooser(keys: Sequence[Any]) -> Choose:
    """The function that takes the values at `keys` out of a tuple or a dict.

    >>> chooser([2, 0])("abc"), chooser([1])("abc"), chooser(["k"])({"k": 1}), chooser([])("abc")
    (('c', 'a'), ('b',), (1,), ())
    """
    if len(keys) > 1:
        return itemgetter(*keys)
    if not keys:
        return lambda values: ()
    key = keys[0]
    return lambda values: (values[key],)


def _shapes(places: list[int | None], variadic: bool) -> Choose:
    """The function that takes the shapes out of the arrays at some places."""
    if variadic:
        return lambda arrays: (tuple([x.shape for x in arrays[0]]),)
    if len(places) == 1 and places[0] is not None:
        i = places[0]
        return lambda arrays: (arrays[i].shape,)
    if len(places) == 2 and None not in places:
        j, k = places
        return lambda arrays: (arrays[j].shape, arrays[k].shape)
    return lambda arrays: tuple([None if k is None else arrays[k].shape for k in places])


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of the parameters of a function, by its `__signature__` if it has one."""
    plain = inspect.unwrap(function, stop=lambda f: hasattr(f, "__signature__"))
    if isinstance(plain, FunctionType) and not hasattr(plain, "__signature__"):
        return plain.__code__.co_varnames[: plain.__code__.co_argcount]
    return tuple(inspect.signature(function).parameters)


class Recorder(Protocol):
    """An op as a function, which `@op` returns. It takes Tensors and records the call.

    Arrays alone give an array. An op with `returns` gives a tuple.
    """

    __name__: str
    op: Op

    def __call__(self, *inputs: Any, **attributes: Any) -> Tensor:
        """The output of the op."""

    def defvjp(self, **vjps: Vjp) -> None:
        """`Op.defvjp`."""


class Op:
    """An op: its forward, its vjps, and the values that its nodes save.

    `inputs` names the positional parameters (a lone `*xs` is one input, of any number), `attributes`
    the keyword-only ones, and `vjps` maps inputs to functions. `saved` and `static` name what nodes
    hold. Users call `record` (recorder.py), the engine calls `backward`.
    """

    record: Recorder
    replace: Any = None
    backward: Callable[[Any, Any, Any, Any, Any], Iterable[tuple[Any, Any]]]

    def __init__(
        self,
        forward: Any,
        *,
        residuals: Sequence[str] = (),
        returns: Sequence[str] = (),
        elementwise: bool = False,
        view: bool = False,
        composite: Callable[..., Any] | None = None,
        shared: dict[str, Vjp] | None = None,
    ):
        plain: Any = inspect.unwrap(forward)  # the function that has the signature
        code = plain.__code__
        named = code.co_argcount + code.co_kwonlyargcount
        self.name: str = forward.__name__
        self.inputs: tuple[str, ...] = code.co_varnames[: code.co_argcount]
        self.attributes: tuple[str, ...] = code.co_varnames[code.co_argcount : named]
        self.defaults: dict[str, Any] = plain.__kwdefaults__ or {}
        self.required = len(self.inputs) - len(plain.__defaults__ or ())
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        if self.variadic:
            if self.inputs:
                raise TypeError(f"op {self.name}: `*xs` must be the only input")
            self.inputs = (code.co_varnames[named],)
        self.forward, self.composite = forward, composite
        self.residuals, self.returns = tuple(residuals), tuple(returns)
        self.elementwise, self.view = elementwise, view
        self.shared = shared or {}
        self.vjps: dict[str, Vjp] = {}
        self.attribute_values = chooser(self.attributes)
        self.returned = chooser([self.residuals.index(name) for name in self.returns])
        # until there are vjps: no node saves anything, and inputs that require grad are refused
        self.saved: tuple[str, ...] = ()
        self.shapes: tuple[str, ...] = ()
        self.static: tuple[str, ...] = self.attributes
        self.meeting: list[int] = []
        self.refuses = bool(self.inputs)
        self.saves: str | None = None
        self.keepers: dict[tuple[bool, ...], tuple[Choose, Choose | None]] = {}

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join((*self.inputs, *self.attributes))})>"

    # --- Its vjps ---

    def defvjp(self, **vjps: Vjp) -> None:
        """Register vjps, each by the name of its input.

        Raises TypeError for a name that is no input, and for a vjp that asks for a value which is
        not there.
        """
        there = {*self.inputs, *self.attributes, *self.residuals, "y"}
        there |= {name + "_shape" for name in self.inputs} | ({"i"} if self.variadic else set())
        for name, vjp in (*self.shared.items(), *vjps.items()):
            wants = parameters(vjp)
            if name in self.shared:
                there.add(name)
            elif name not in self.inputs:
                raise TypeError(f"{self.name} has no input {name!r}: it has {self.inputs}")
            if wants[:1] != ("g",) or not there.issuperset(wants[1:]):
                raise TypeError(
                    f"{self.name}: the vjp for {name} takes {wants}; wanted g first, then any of "
                    f"{sorted(there)}"
                )
        self.vjps.update(vjps)
        self._plan()

    def _plan(self) -> None:
        """Compute the values that nodes may save, and how to call the vjps."""
        asks = {n: parameters(f)[1:] for n, f in (*self.shared.items(), *self.vjps.items())}
        wanted = set().union(*asks.values(), self.inputs if self.composite else ())
        self.saved = tuple(n for n in (*self.inputs, "y", *self.residuals) if n in wanted)
        self.shapes = tuple(n for n in self.inputs if n + "_shape" in wanted)
        self.static = (*self.attributes, *(n + "_shape" for n in self.shapes))
        self.meeting = [k for k, n in enumerate(self.inputs) if n in self.vjps]  # to be promoted
        self.refuses = len(self.vjps) < len(self.inputs)  # an input that requires grad
        self.saves = self._saving(asks)
        self.keepers = {}
        self.backward = _backward(self, asks)

    def _saving(self, asks: dict[str, tuple[str, ...]]) -> str | None:
        """A key of the fast paths in recorder.py; None if the op has none."""
        if len(self.inputs) == len(self.vjps) == 1:
            return " and ".join(self.saved) or "nothing"
        if self.inputs == ("a", "b") and self.composite is None:
            known = {((), ()): "nothing", (("b",), ("a",)): "the other"}
            return known.get((asks.get("a", ("none",)), asks.get("b", ("none",))))
        return None

    def new_keeper(self, absent: tuple[bool, ...]) -> tuple[Choose, Choose | None]:
        """Select the values that a node saves if its `absent` inputs need no gradient.

        The first function takes the saved values out of (*inputs, y, *residuals, None), the second
        the shapes out of the inputs. A value that none of the vjps to be run asks for is None.
        """
        needed: set[str] = set()
        for name, gone in zip(self.inputs, absent, strict=True):
            if gone:
                continue
            if name not in self.vjps:
                raise NotImplementedError(
                    f"{self.name} is not differentiable in {name}, which requires grad: detach() it"
                )
            needed.update(parameters(self.vjps[name]))
        for name, function in reversed(self.shared.items()):
            if name in needed:
                needed.update(parameters(function))
        if self.composite:
            needed.update(self.inputs)
        values = (*self.inputs, "y", *self.residuals)
        keep = chooser([values.index(n) if n in needed else -1 for n in self.saved])
        places = [self.inputs.index(n) if n + "_shape" in needed else None for n in self.shapes]
        found = self.keepers[absent] = keep, _shapes(places, self.variadic) if places else None
        return found

    # --- Its calls ---

    def bind(
        self, inputs: tuple[Any, ...], attributes: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A call with all inputs as positional arguments and all attributes, defaults filled in.

        TypeError for an input that is missing. The forward itself refuses a name it does not know.
        """
        attributes = {**self.defaults, **attributes}
        for k, name in enumerate(() if self.variadic else self.inputs):
            if k >= len(inputs):
                if name not in attributes and k < self.required:
                    raise TypeError(f"{self.name}() missing 1 required argument: '{name}'")
                inputs = (*inputs, attributes.pop(name, None))
        return inputs, attributes

    def on_arrays(self, inputs: Sequence[Any], attributes: dict[str, Any]) -> Any:
        """A call on arrays, of an op with residuals: y, and the residuals that the op `returns`."""
        y, *residuals = self.forward(*inputs, **attributes)
        return (y, *self.returned(residuals)) if self.returns else y

    def result(self, y: Any, residuals: bool = False) -> Any:
        """What the forward returned, if it is no array: as an array, or as a tuple with residuals.

        TypeError for anything that is neither.
        """
        if residuals:
            if isinstance(y, tuple) and len(y) == 1 + len(self.residuals):
                return y
            wanted = f"a tuple of y and {', '.join(self.residuals)}"
        else:
            if isinstance(y, (np.ndarray, np.generic, int, float)):
                return np.asarray(y)
            wanted = "an array. Values after y are named by @op(residuals=...)"
        missing = " (is there no `return`?)" if y is None else ""
        raise TypeError(
            f"op {self.name}: the forward returned {type(y).__name__}{missing}, wanted {wanted}"
        )

    def mismatch(self, arrays: Sequence[Any]) -> Exception:
        """The error for inputs that do not broadcast."""
        shapes = ", ".join(
            f"{name} {np.shape(x)}" for name, x in zip(self.inputs, arrays, strict=False)
        )
        return RuntimeError(
            f"{self.name}: the size of one tensor must match that of the other at each axis, or be "
            f"1; got {shapes}"
        )


# --- How the vjps are called ----------------------------------------------------------------------


def _backward(op: Op, asks: dict[str, tuple[str, ...]]) -> Any:
    """`Op.backward`, which the engine calls: see `Operation`. `asks`: parameters by function."""
    names = [*op.saved, *op.static, *op.shared, "i"]
    functions = {**op.shared, **op.vjps}
    if op.saves == "nothing" and len(op.inputs) == 2:
        return _of_two_that_save_nothing(*(op.vjps[n] for n in op.inputs))
    if op.saves == "the other":
        return _of_two_that_save_the_other(*(op.vjps[n] for n in op.inputs))
    callers = {n: _caller(f, [names.index(p) for p in asks[n]]) for n, f in functions.items()}
    if op.variadic:
        return _of_any_number(op, callers)
    if len(op.inputs) == len(op.vjps) == 1 and not op.shared:
        return _of_one(callers[op.inputs[0]])
    users = [
        (callers[n], [k for k, i in enumerate(op.inputs) if n in asks.get(i, ())])
        for n in op.shared
    ]
    return _of_several(op, callers, users)


def _caller(vjp: Vjp, at: Sequence[int]) -> Callable[[Any, tuple[Any, ...]], Any]:
    """The call of `vjp` with g and the values at the places `at`. (A call with `*` is slow.)"""
    if not at:
        return lambda g, values: vjp(g)
    if len(at) == 1:
        (i,) = at
        return lambda g, values: vjp(g, values[i])
    if len(at) == 2:
        i, j = at
        return lambda g, values: vjp(g, values[i], values[j])
    if len(at) == 3:
        i, j, k = at
        return lambda g, values: vjp(g, values[i], values[j], values[k])
    choose = chooser(at)
    return lambda g, values: vjp(g, *choose(values))


def _of_one(run: Callable[..., Any]) -> Any:
    def backward(g: Any, first: Any, second: Any, saved: Any, static: Any) -> Any:
        return ((first, run(g, saved + static if static else saved)),)

    return backward


def _of_two_that_save_nothing(vjp_a: Vjp, vjp_b: Vjp) -> Any:
    def backward(g: Any, first: Any, second: Any, saved: Any, static: Any) -> Any:
        if second is None:
            return ((first, vjp_a(g)),)
        if first is None:
            return ((second, vjp_b(g)),)
        return (first, vjp_a(g)), (second, vjp_b(g))

    return backward


def _of_two_that_save_the_other(vjp_a: Vjp, vjp_b: Vjp) -> Any:
    def backward(g: Any, first: Any, second: Any, saved: Any, static: Any) -> Any:
        a, b = saved
        if second is None:
            return ((first, vjp_a(g, b)),)
        if first is None:
            return ((second, vjp_b(g, a)),)
        return (first, vjp_a(g, b)), (second, vjp_b(g, a))

    return backward


def _of_several(op: Op, callers: dict[str, Any], shared: list[tuple[Any, list[int]]]) -> Any:
    """`backward` for several inputs, some perhaps without a vjp, and for shared results."""
    several = len(op.inputs) > 2
    runs = [(k, callers[n]) for k, n in enumerate(op.inputs) if n in op.vjps]

    def backward(g: Any, first: Any, second: Any, saved: Any, static: Any) -> Any:
        parents = first if several else (first, second)
        values = saved + static
        for run, users in shared:
            wanted = any([parents[k] is not None for k in users])
            values += (run(g, values) if wanted else None,)
        return [(parents[k], run(g, values)) for k, run in runs if parents[k] is not None]

    return backward


def _of_any_number(op: Op, callers: dict[str, Any]) -> Any:
    shared = [callers[n] for n in op.shared]
    run: Any = callers.get(op.inputs[0])  # None without a vjp: then no call is recorded

    def backward(g: Any, first: Any, second: Any, saved: Any, static: Any) -> Any:
        values = saved + static
        for share in shared:
            values += (share(g, values),)
        return [(p, run(g, (*values, i))) for i, p in enumerate(first) if p is not None]

    return backward
