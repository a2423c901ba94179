"""Ops: a forward on arrays and its vjps, registered, and the code that records them.

    @op
    def mul(a, b):
        '''y = a · b        ā = ȳ · b        b̄ = ȳ · a'''
        return a * b

    mul.defvjp(a=lambda g, b: g * b, b=lambda g, a: g * a)

The parameters of a vjp say what it needs, and a node saves exactly that: an input by its name, the
output as `y`, the shape of an input as `x_shape`, a residual that the forward returned, an
attribute (keyword-only parameter) by its name. `g` is the cotangent of the output.

From these signatures one straight-line recorder and one straight-line backward are generated for
each op, when it is first called: generic code would look up, for every call, what never changes.
"""

from __future__ import annotations

import functools
import inspect
import linecache
from collections.abc import Callable, Sequence
from operator import itemgetter
from types import FunctionType
from typing import Any

import numpy as np

from . import graph
from .dtypes import promote
from .modes import mode, observers, special
from .views import note_view

registry: dict[str, Op] = {}


def op(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Make an op of `forward`, a function of arrays (positional) and attributes (keyword-only).

    What it returns takes Tensors and records, or takes arrays alone and returns an array at once;
    its `defvjp` registers the vjps. Options:

    - `residuals`: names of what the forward returns after y, for the vjps: constants to them;
    - `returns`: those of the residuals that the op returns too, after y;
    - `elementwise`: the differentiable inputs broadcast, and meet in their `result_type`, which is
      that of y; the gradients are summed back to the inputs' shapes;
    - `view`: y shows the memory of the input;
    - `composite`: the same function out of other ops. It is what a graph of the gradient
      differentiates: needed where a residual depends smoothly on an input;
    - `shared`: functions like vjps, of what several vjps need of the cotangent, by the name under
      which these take it: each runs once, before them.
    """
    if forward is None:
        return functools.partial(op, **options)
    o = Op(forward, **options)
    if (o.name in registry) and registry[o.name].forward.__module__ != forward.__module__:
        raise ValueError(f"an op {o.name!r} exists, from {registry[o.name].forward.__module__}")
    registry[o.name] = o
    return o.record


class Op:
    """A registered op.

    `inputs` names the positional parameters (a lone `*xs` is one input, of any number), `attributes`
    the keyword-only ones, `vjps` maps inputs to functions. `saved` and `static` name what its nodes
    hold; `record` is what users call, `backward` what the engine calls.
    """

    backward: Callable[..., Sequence[tuple[Any, Any]]]

    def __init__(
        self,
        forward: Any,
        *,
        residuals: Sequence[str] = (),
        returns: Sequence[str] = (),
        elementwise: bool = False,
        view: bool = False,
        composite: Callable[..., Any] | None = None,
        shared: dict[str, Callable[..., Any]] | None = None,
    ):
        self.plain: Any = inspect.unwrap(forward)  # whose signature is the op's
        code = self.plain.__code__
        named = code.co_argcount + code.co_kwonlyargcount
        self.name: str = forward.__name__
        self.inputs: tuple[str, ...] = code.co_varnames[: code.co_argcount]
        self.attributes: tuple[str, ...] = code.co_varnames[code.co_argcount : named]
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        if self.variadic:
            if self.inputs:
                raise TypeError(f"op {self.name}: `*xs` must be the only input")
            self.inputs = (code.co_varnames[named],)
        self.forward, self.composite = forward, composite
        self.residuals, self.returns = tuple(residuals), tuple(returns)
        self.elementwise, self.view = elementwise, view
        self.shared = shared or {}
        self.vjps: dict[str, Callable[..., Any]] = {}
        self.generation = 0  # how often they changed
        self.saved: tuple[str, ...] = ()
        self.static: tuple[str, ...] = ()
        self.record: Any = functools.update_wrapper(
            FunctionType(_first_call.__code__, {"_op": self}, self.name), forward
        )
        vars(self.record).update(op=self, defvjp=self.defvjp)

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join((*self.inputs, *self.attributes))})>"

    def defvjp(self, **vjps: Callable[..., Any]) -> None:
        """Register vjps, each by the name of the input that it is for.

        Raises TypeError for a name that is no input, and for a vjp that asks for what is not there.
        """
        there = {*self.inputs, *self.attributes, *self.residuals, "y"}
        there |= {name + "_shape" for name in self.inputs} | ({"i"} if self.variadic else set())
        for name, vjp in (*self.shared.items(), *vjps.items()):
            wants = _parameters(vjp)
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
        self.generation += 1
        self.record.__code__ = _first_call.__code__  # generated anew when next called

    def compile(self) -> Any:
        """Generate `record` and `backward`; return the first."""
        functions = {**self.shared, **self.vjps}
        wanted = [p for function in functions.values() for p in _parameters(function)[1:]]
        if self.composite:
            wanted += self.inputs
        arrays = (*self.inputs, "y", *self.residuals)
        self.saved = tuple(name for name in arrays if name in wanted)
        shapes = tuple(name for name in self.inputs if name + "_shape" in wanted)
        self.static = (*self.attributes, *(name + "_shape" for name in shapes))
        namespace = self.record.__globals__
        namespace |= {f"_vjp_{name}": function for name, function in functions.items()}
        namespace |= {
            "_forward": self.forward,
            "_promote": promote,
            "_mode": mode,
            "_observers": observers,
            "_special": special,
            "_Recorded": graph.Recorded,
            "_new_tensor": graph.new_tensor,
            "_Node": graph.Node,
            "_wrap": graph.wrap,
            "_number": graph.next_number,
            "_asarray": np.asarray,
            "_itemgetter": itemgetter,
            "_note_view": note_view,
        }
        self.backward = _generate(f"{self.name} backward", _backward_source(self), namespace)
        slow = _generate(f"{self.name}, slow", _slow_source(self, shapes), namespace)
        slow.__kwdefaults__ = self.plain.__kwdefaults__
        slow.__defaults__ = self.plain.__defaults__
        namespace["_slow"] = slow
        record = _generate(self.name, _fast_source(self, shapes), namespace)
        self.record.__defaults__ = self.plain.__defaults__
        self.record.__kwdefaults__ = self.plain.__kwdefaults__
        self.record.__code__ = record.__code__  # the same function object, whoever holds it
        return self.record

    def mismatch(self, arrays: tuple[Any, ...]) -> Exception:
        """The error for inputs that do not broadcast."""
        shapes = ", ".join(
            f"{name} {np.shape(x)}" for name, x in zip(self.inputs, arrays, strict=True)
        )
        return RuntimeError(
            f"{self.name}: the size of one tensor must match that of the other at each axis, or be "
            f"1; got {shapes}"
        )

    def refuse(self, name: str) -> None:
        """Raise: `name` requires grad, and this op has no vjp for it."""
        raise NotImplementedError(
            f"{self.name} is not differentiable in {name}, which requires grad: detach() it"
        )


def _first_call(*args: Any, **kwargs: Any) -> Any:
    return _op.compile()(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    if isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
        return function.__code__.co_varnames[: function.__code__.co_argcount]
    return tuple(inspect.signature(function).parameters)


def _generate(name: str, source: str, namespace: dict[str, Any]) -> Any:
    filename = f"<generated for op {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), namespace)
    return namespace.pop("_generated")


def _tuple(items: Sequence[str]) -> str:
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _needed_by(o: Op, saved: str) -> list[str]:
    """The inputs whose vjps ask for `saved`."""
    if o.composite and saved in o.inputs:
        return list(o.vjps)
    through = {saved, *(name for name, f in o.shared.items() if saved in _parameters(f))}
    return [name for name, vjp in o.vjps.items() if through.intersection(_parameters(vjp))]


def _if_needed(o: Op, name: str, value: str) -> str:
    """The expression `value`, which vjps know as `name`; None where none that will run needs it."""
    users = _needed_by(o, name)
    if len(users) == len(o.vjps) or o.variadic:
        return value
    return f"{value} if {' or '.join(f'{user}_node is not None' for user in users)} else None"


def _saved_source(o: Op, name: str) -> str:
    return _if_needed(o, name, f"{name}_" if name in (*o.inputs, "y") else name)


def _signature(o: Op) -> str:
    if o.variadic:
        return ", ".join([f"*{o.inputs[0]}", *o.attributes])
    required = len(o.inputs) - len(o.plain.__defaults__ or ())
    inputs = [n if i < required else f"{n}=None" for i, n in enumerate(o.inputs)]
    return ", ".join([*inputs, *(["*", *o.attributes] if o.attributes else [])])


def _fast_source(o: Op, shapes: Sequence[str]) -> str:
    """The recorder where all is plain: Tensors of one dtype, recording, nobody watching."""
    (first, *others), given = o.inputs, [f"{name}={name}" for name in o.attributes]
    everything = ", ".join([*(f"*{n}" if o.variadic else n for n in o.inputs), *given])
    if o.variadic:
        return f"def _generated({_signature(o)}): return _slow({everything})"
    lines = [
        f"def _generated({_signature(o)}):",
        f"    if _special or not isinstance({first}, _Recorded)"
        f"{''.join(f' or not isinstance({n}, _Recorded)' for n in others)}:",
        f"        return _slow({everything})",
        *(f"    {n}_ = {n}._array; {n}_node = {n}._node" for n in o.inputs),
    ]
    met = [n for n in o.inputs if n in o.vjps]
    if o.elementwise:
        lines.append(f"    _dtype = {met[0]}_.dtype")
        differ = " or ".join(f"_dtype is not {n}_.dtype" for n in met[1:])
        lines += [f"    if {differ}: return _slow({everything})"] if differ else []
    untracked = " and ".join(f"{n}_node is None" for n in o.inputs)
    lines += _node_source(o, shapes, untracked, dtype="_dtype" if o.elementwise else "y_.dtype")
    return "\n".join(lines)


def _slow_source(o: Op, shapes: Sequence[str]) -> str:
    """The recorder for all else: arrays and numbers among the inputs, promotion, modes, observers."""
    lines = [f"def _generated({_signature(o)}):"]
    if o.variadic:
        (xs,) = o.inputs
        lines += [
            f"    {xs}_ = tuple([x._array if isinstance(x, _Recorded) else x for x in {xs}])",
            f"    if not any([isinstance(x, _Recorded) for x in {xs}]):",
            f"        return {_result_source(o)}",
            f"    _parents = tuple([x._node if isinstance(x, _Recorded) else None for x in {xs}])",
        ]
        observed, untracked = xs, "not any(_parents)"
    else:
        observed = _tuple(o.inputs)
        lines.append("    _others = 0")
        for n in o.inputs:
            lines += [
                f"    if isinstance({n}, _Recorded): {n}_ = {n}._array; {n}_node = {n}._node",
                f"    else: {n}_ = {n}; {n}_node = None; _others += 1",
            ]
        lines += [f"    if _others == {len(o.inputs)}:", f"        return {_result_source(o)}"]
        met = [f"{n}_" for n in o.inputs if n in o.vjps]
        if o.elementwise and len(met) > 1:
            lines.append(f"    {', '.join(met)} = _promote({', '.join(met)})")
        untracked = " and ".join(f"{n}_node is None" for n in o.inputs)
    return "\n".join(
        [
            *lines,
            "    for _o in list(_observers): _o.op_begins(_op)",
            *_node_source(
                o, shapes, f"{untracked} or not _mode.grad",
                end=f"    for _o in list(_observers): _o.op_ran(_op, {observed}, _y, _y._node)",
            ),
        ]
    )  # fmt: skip


def _node_source(
    o: Op,
    shapes: Sequence[str],
    untracked: str,
    dtype: str = "y_.dtype",
    end: str = "",
) -> list[str]:
    """Run the forward, wrap its result, and record it unless `untracked`."""
    nodes = [f"{n}_node" for n in o.inputs]
    if o.variadic:
        parents = "_n.first = _parents; _n.second = None"
    elif len(nodes) > 2:
        parents = f"_n.first = {_tuple(nodes)}; _n.second = None"
    else:
        parents = f"_n.first = {nodes[0]}; _n.second = {nodes[1] if len(nodes) > 1 else None}"
    if o.variadic:
        shape_of = {n: f"tuple([x.shape for x in {n}_])" for n in o.inputs}
        refused: list[str] = []
    else:
        shape_of = {n: _if_needed(o, n + "_shape", f"{n}_.shape") for n in o.inputs}
        refused = [n for n in o.inputs if n not in o.vjps]
    lines = [
        *_forward_source(o),
        # NumPy makes scalars of 0-d arrays, and a forward may return a number
        "    if not (_shape := y_.shape): y_ = _asarray(y_)"
        if o.elementwise
        else "    y_ = _asarray(y_); _shape = y_.shape",
        "    _y = _new_tensor(); _y._array = y_",
        f"    if {untracked}:",
        "        _y._node = None",
        "    else:",
        *(f"        if {n}_node is not None: _op.refuse({n!r})" for n in refused),
        "        _y._node = _n = _Node()",
        f"        _n.op = _op; {parents}; _n.number = _number(); _n.extra = None",
        f"        _n.saved = {_tuple([_saved_source(o, name) for name in o.saved])}",
        f"        _n.static = {_tuple([*o.attributes, *(shape_of[n] for n in shapes)])}",
        f"        _n.shape = _shape; _n.dtype = {dtype}",
        *([end] if end else []),
    ]
    if o.view:
        kwargs = "{" + ", ".join(f"{name!r}: {name}" for name in o.attributes) + "}"
        lines.append(f"    _note_view(_y, {o.inputs[0]}, _op, {kwargs})")
    results = ", ".join(["_y", *(f"_wrap({name})" for name in o.returns)])
    return [*lines, f"    return {results}"]


def _call(o: Op) -> str:
    arrays = [f"*{n}_" if o.variadic else f"{n}_" for n in o.inputs]
    return f"_forward({', '.join([*arrays, *(f'{name}={name}' for name in o.attributes)])})"


def _forward_source(o: Op) -> list[str]:
    run = f"{', '.join(['y_', *o.residuals])} = {_call(o)}"
    if not o.elementwise:
        return [f"    {run}"]
    return [
        f"    try: {run}",
        f"    except ValueError: raise _op.mismatch({_tuple([f'{n}_' for n in o.inputs])}) from None",
    ]


def _result_source(o: Op) -> str:
    """What a call on arrays alone returns: y, and of the residuals those that are `returns`."""
    if not o.residuals:
        return _call(o)
    picks = [0, *(1 + o.residuals.index(name) for name in o.returns)]
    return f"_itemgetter({', '.join(map(str, picks))})({_call(o)})"


def _backward_source(o: Op) -> str:
    """The engine's entry: pairs of a parent and its gradient, for the parents that are not None."""
    lines = ["def _generated(g, first, second, saved, static):"]
    if o.saved:
        lines.append(f"    {_tuple(o.saved)} = saved")
    if o.static:
        lines.append(f"    {_tuple(o.static)} = static")
    if o.variadic:
        (xs,) = o.inputs
        lines += [f"    {n} = _vjp_{n}({', '.join(_parameters(f))})" for n, f in o.shared.items()]
        vjp = f"_vjp_{xs}({', '.join(_parameters(o.vjps[xs]))})" if o.vjps else "None"
        lines.append(f"    return [(p, {vjp}) for i, p in enumerate(first) if p is not None]")
        return "\n".join(lines)
    nodes = [f"{name}_node" for name in o.inputs]
    if len(nodes) > 2:
        lines.append(f"    {_tuple(nodes)} = first")
    else:
        lines += [
            f"    {node} = {at}" for node, at in zip(nodes, ("first", "second"), strict=False)
        ]
    for n, f in o.shared.items():
        users = [name for name, vjp in o.vjps.items() if n in _parameters(vjp)]
        asked = " or ".join(f"{name}_node is not None" for name in users)
        lines.append(
            f"    {n} = _vjp_{n}({', '.join(_parameters(f))}) if {asked or False} else None"
        )
    pairs = {
        name: f"({name}_node, _vjp_{name}({', '.join(_parameters(vjp))}))"
        for name, vjp in ((name, o.vjps[name]) for name in o.inputs if name in o.vjps)
    }
    if len(pairs) == 2:  # the common case, without a list
        (a, pair_a), (b, pair_b) = pairs.items()
        lines += [
            f"    if {b}_node is None: return ({pair_a},)",
            f"    if {a}_node is None: return ({pair_b},)",
        ]
    if len(pairs) <= 2:
        lines.append(f"    return {_tuple(list(pairs.values()))}")
        return "\n".join(lines)
    lines.append("    pairs = []")
    lines += [f"    if {n}_node is not None: pairs.append({pair})" for n, pair in pairs.items()]
    lines.append("    return pairs")
    return "\n".join(lines)
