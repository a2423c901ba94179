"""A small graph with its numbers: each value, each gradient, and each part that a gradient is the sum of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tinygrad_cnn import Tensor, engine, nn, no_grad, ops

from ..calls import input_names, recorded_calls
from ..record import array_of
from ..watch import cotangent
from .arithmetic import number_text
from .windows import values_of

MAX_QUANTITIES = 60  # of a graph that is worked by hand


@dataclass
class Quantity:
    """A tensor of the graph.

    Attributes:
        name: the user's, or the op's with a number.
        kind: "leaf" requires grad and "constant" does not; "op" is the output of an op.
        shape: of the value.
        value: None where neither the graph nor the caller kept it.
        gradient: None where none arrived: the sum of all arrivals, before hooks.
        node: the recorded call that computed it.
        inputs: the positions of the op's inputs; None for one that was not given.
        given: the values of the op's inputs.
    """

    name: str
    kind: Literal["leaf", "constant", "op"]
    shape: tuple[int, ...]
    value: Any = None
    gradient: np.ndarray | None = None
    node: engine.Node | None = None
    inputs: list[int | None] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)


@dataclass
class Arrival:
    """A part of the gradient of `target`: from the op that made `source`, for its input `slot`.

    `incoming` is the gradient of `source` that the vjp took: hooks may have changed it. `hooked` is
    what hooks make of the gradient of a leaf, after its last arrival.
    """

    source: int
    slot: int
    target: int
    gradient: np.ndarray
    incoming: np.ndarray | None
    hooked: np.ndarray | None = None


@dataclass
class Worked:
    """The quantities, each after its inputs; the arrivals in the order of the backward pass."""

    quantities: list[Quantity]
    arrivals: list[Arrival]
    root: int
    symbol: str  # L in ∂L/∂x


def work(
    loss: Tensor | Callable[[], Tensor],
    model: nn.Module | None,
    names: Mapping[str, Tensor],
    gradient: Tensor | None,
) -> Worked:
    """The graph of `loss` with its numbers. The arguments are those of `by_hand`."""
    watch = _Watch()
    if not isinstance(loss, Tensor):
        if not callable(loss):
            raise TypeError(
                f"by_hand: expected a Tensor or a function that returns one, got {type(loss).__name__}"
            )
        with engine.observe(watch):
            loss = loss()
        if not isinstance(loss, Tensor):
            raise TypeError(f"by_hand: the function returned a {type(loss).__name__}, not a Tensor")
    if loss.grad_fn is None:
        raise ValueError(
            "by_hand: no op was recorded for this tensor: it is a leaf, or it was computed under "
            "no_grad(), or no input of it requires grad"
        )
    if gradient is None and loss.numel() != 1:
        raise ValueError(
            f"by_hand: the loss has shape {tuple(loss.shape)}, wanted a scalar. Reduce it, or pass "
            "gradient=, the gradient that arrives at it"
        )
    if gradient is not None and not isinstance(gradient, Tensor):
        raise TypeError(f"by_hand: gradient: expected a Tensor, got {type(gradient).__name__}")
    if gradient is not None and tuple(gradient.shape) != tuple(loss.shape):
        raise ValueError(
            f"by_hand: gradient has shape {tuple(gradient.shape)}, wanted that of the loss, "
            f"{tuple(loss.shape)}"
        )
    for name, item in names.items():
        if not isinstance(item, Tensor):
            raise TypeError(f"names[{name!r}]: expected a Tensor, got {type(item).__name__}")
    found = _Collector(loss, model, names, watch, gradient is not None)
    return found.worked(gradient)


class _Watch(engine.Observer):
    """Keeps the inputs and outputs of each op that is recorded while it watches."""

    def __init__(self) -> None:
        self.inputs: dict[engine.Node, tuple[Any, ...]] = {}
        self.outputs: dict[engine.Node, np.ndarray] = {}

    def op_ran(
        self, op: engine.Operation, inputs: tuple[object, ...], output: Tensor,
        node: engine.Node | None,
    ) -> None:  # fmt: skip
        """Keep them."""
        if node is not None:
            given = [array_of(x) if isinstance(x, Tensor) else x for x in inputs]
            self.inputs.setdefault(node, tuple(given))
            self.outputs.setdefault(node, array_of(output).copy())


class _Collector:
    """Builds the quantities of a graph, then their values, then the gradients."""

    def __init__(
        self, loss: Tensor, model: nn.Module | None, names: Mapping[str, Tensor], watch: _Watch,
        given: bool,
    ) -> None:  # fmt: skip
        self._watch = watch
        self._found: list[Quantity] = []
        self._at: dict[int, int] = {}  # by the id of a node, a leaf tensor or a constant array
        self._alive: list[object] = []  # so that no id is used twice
        self._names: dict[int, str] = {}  # by the id of a tensor, an array or a node
        self._memory: dict[tuple[int, int], str] = {}  # by the place of an array
        self._taken = set(names)
        root = loss.grad_fn
        for name, parameter in () if model is None else model.named_parameters():
            self._name(parameter, name)
            self._taken.add(name)
        known = {id(root): array_of(loss)}
        for name, item in names.items():
            self._name(item, name)
            if item.grad_fn is not None:
                known[id(item.grad_fn)] = array_of(item)
        free = "L" if "L" not in self._taken else "loss"
        self._symbol = free if given else self._names.get(id(root), free)
        nodes = [call for call in recorded_calls([root], {}) if isinstance(call, engine.Node)]
        if len(nodes) > MAX_QUANTITIES:
            raise ValueError(
                f"by_hand: the graph has {len(nodes)} ops, more than the {MAX_QUANTITIES} that can be "
                "followed by hand; draw() and steps() have no limit"
            )
        if not given:
            self._names.setdefault(id(root), self._symbol)
        self._taken.add(self._symbol)
        for node in nodes:
            self._add_op(node, known.get(id(node)))
        self._root = self._at[id(root)]
        self._compute(names)
        unused = [name for name in names if not self._is_used(names[name])]
        if unused:
            raise ValueError(
                f"by_hand: the graph has no tensor {', '.join(map(repr, unused))}, or did not keep it: a "
                "function that computes the loss shows all"
            )

    def _name(self, item: Tensor, name: str) -> None:
        self._alive += [item, array_of(item)]
        self._names[id(item)] = self._names[id(array_of(item))] = name
        self._memory[_place(array_of(item))] = name
        if item.grad_fn is not None:
            self._names[id(item.grad_fn)] = name

    def _is_used(self, item: Tensor) -> bool:
        return any(quantity.name == self._names[id(item)] for quantity in self._found)

    def _called(self, thing: object, role: str) -> str:
        """The user's name for a tensor or a node, else a new one."""
        name = self._names.get(id(thing))
        return self._fresh(role) if name is None else name

    def _fresh(self, name: str) -> str:
        """`name`, with a number if there is one of that name."""
        made, k = name, 1
        while made in self._taken:
            k += 1
            made = f"{name}{k}"
        self._taken.add(made)
        return made

    def _add(self, quantity: Quantity, thing: object) -> int:
        if isinstance(thing, (engine.Node, Tensor, np.ndarray)):
            self._alive.append(thing)
            self._at[id(thing)] = len(self._found)
        self._found.append(quantity)
        return len(self._found) - 1

    def _add_op(self, node: engine.Node, value: np.ndarray | None) -> None:
        if node.saved is None:
            raise RuntimeError(
                f"by_hand: what {node.op.name} saved is freed, by a backward pass. Call by_hand before "
                "it, or call backward with retain_graph=True"
            )
        saved = dict(zip(node.op.saved, node.saved, strict=False))
        given = self._watch.inputs.get(node, ())
        inputs: list[int | None] = []
        for slot, (name, parent) in enumerate(zip(input_names(node), node.parents, strict=True)):
            value_in = given[slot] if slot < len(given) else saved.get(name)
            if not isinstance(value_in, (np.ndarray, np.generic, int, float)):
                value_in = None  # a tuple, of any number of inputs; or an object of an op's own
            if parent is None:
                required = isinstance(node.op, engine.Op) and slot < node.op.required
                inputs.append(self._constant(name, value_in, required))
            elif parent.op is None:
                inputs.append(self._leaf(parent, name, value_in))
            else:
                at = self._at[id(parent)]
                if (
                    self._found[at].value is None
                    and np.asarray(value_in).shape == self._found[at].shape
                ):
                    self._found[at].value = value_in
                inputs.append(at)
        if value is None:
            value = self._watch.outputs.get(node, saved.get("y"))
        name = self._called(node, node.op.name)
        shape = (0,) if node.shape is None else node.shape  # of several outputs it has none
        if node.shape is None:
            value = None
        made = Quantity(name, "op", shape, value, node=node, inputs=inputs)
        self._add(made, node)

    def _leaf(self, leaf: engine.Node, role: str, value: Any) -> int:
        item = leaf.variable
        thing = leaf if item is None else item
        if id(thing) not in self._at:
            name = self._called(thing, role)
            array = value if item is None else array_of(item)
            self._add(Quantity(name, "leaf", leaf.shape, array), thing)
        return self._at[id(thing)]

    def _constant(self, role: str, value: Any, required: bool) -> int | None:
        if value is None and not required:
            return None
        if id(value) in self._at and isinstance(value, np.ndarray):
            return self._at[id(value)]
        if value is None:
            return self._add(Quantity(self._fresh(role), "constant", ()), None)
        return self._add(self._known_constant(role, value), value)

    def _known_constant(self, role: str, value: Any) -> Quantity:
        array = np.asarray(value)
        name = self._memory.get(_place(value)) if isinstance(value, np.ndarray) else None
        if name is None or any(quantity.name == name for quantity in self._found):
            is_number = array.shape == () and array.dtype.kind in "iuf"
            name = number_text(float(array)) if is_number else self._fresh(role)
        return Quantity(name, "constant", array.shape, value)

    def _compute(self, names: Mapping[str, Tensor]) -> None:
        """Fill in the values that the graph did not keep, as far as the others determine them."""
        for quantity in self._found:
            node = quantity.node
            if node is None or not hasattr(node.op, "record") or "random" in node.attributes:
                continue
            unknown = [k for k in quantity.inputs if k is not None and self._found[k].value is None]
            if len(unknown) == 1 and quantity.value is not None:
                self._find(quantity, unknown[0], names)
            elif not unknown and quantity.value is None:
                quantity.value = self._run(quantity, {})

    def _run(self, quantity: Quantity, instead: Mapping[int, Any]) -> np.ndarray:
        """The output of the op, with other values `instead` of some."""
        assert quantity.node is not None
        values = [
            None if k is None else instead.get(k, self._found[k].value) for k in quantity.inputs
        ]
        with no_grad():
            y = quantity.node.op.record(*values, **quantity.node.attributes)
        return (
            array_of(y)
            if isinstance(y, Tensor)
            else np.asarray(y[0] if isinstance(y, tuple) else y)
        )

    def _find(self, quantity: Quantity, at: int, names: Mapping[str, Tensor]) -> None:
        """Find the constant with which the op gives its output: a named tensor, or y − x or x − y."""
        y = np.asarray(quantity.value)
        others = [self._found[k].value for k in quantity.inputs if k is not None and k != at]
        guesses = [array_of(t) for t in names.values() if not self._is_used(t)]
        if len(others) == 1 and np.shape(others[0]) == y.shape:
            gaps = (y - others[0], others[0] - y)
            guesses += [
                g.ravel()[0] if np.ptp(g) <= 1e-6 * np.abs(g).max() else g for g in gaps if g.size
            ]
        for guess in guesses:
            try:
                close = np.allclose(self._run(quantity, {at: guess}), y, rtol=1e-6, atol=0)
            except (RuntimeError, TypeError, ValueError):
                continue
            if close:
                role = self._found[at].name
                self._taken.discard(role)
                self._found[at] = self._known_constant(role, guess)
                if isinstance(guess, np.ndarray):
                    self._alive.append(guess)
                    self._at[id(guess)] = at
                return

    def worked(self, gradient: Tensor | None) -> Worked:
        """The numbers, with the gradients of a backward pass that changes no `.grad`."""
        root = self._found[self._root]
        assert root.node is not None
        start = np.ones(root.shape) if gradient is None else array_of(gradient)
        start = start.astype(root.node.dtype)
        recorder = _Arrivals(self._at, self._found)
        with engine.observe(recorder), np.errstate(all="ignore"):
            results = engine.backward([(root.node, start)], retain_graph=True)
        root.gradient = start.astype(np.float64)
        for arrival in recorder.arrivals:
            quantity = self._found[arrival.target]
            before = 0.0 if quantity.gradient is None else quantity.gradient
            quantity.gradient = before + arrival.gradient
        for leaf, result in results.items():
            at = self._at.get(id(leaf if leaf.variable is None else leaf.variable))
            last = [arrival for arrival in recorder.arrivals if arrival.target == at][-1:]
            for arrival in last:
                total = self._found[arrival.target].gradient
                if total is not None and not np.array_equal(
                    values_of(result), total, equal_nan=True
                ):
                    arrival.hooked = values_of(result)
        return Worked(self._found, recorder.arrivals, self._root, self._symbol)


def _place(array: np.ndarray) -> tuple[int, int]:
    """Where in memory an array begins, and its size: the same for a view in another shape."""
    return array.__array_interface__["data"][0], array.size


class _Arrivals(engine.Observer):
    """Keeps what each vjp gives to each input."""

    def __init__(self, at: Mapping[int, int], found: Sequence[Quantity]) -> None:
        self._at, self._found = at, found
        self.arrivals: list[Arrival] = []

    def vjp_ran(self, node: engine.Node, g: object, gradients: Sequence[object]) -> None:
        """Keep the gradients of one op's inputs."""
        source, incoming = self._at.get(id(node)), cotangent(g)
        if source is None:
            return
        for slot, gradient in enumerate(gradients):
            target = self._found[source].inputs[slot]
            array = cotangent(gradient)
            if target is not None and array is not None:
                part = ops.sum_to(values_of(array), shape=self._found[target].shape)
                came = None if incoming is None else values_of(incoming)
                self.arrivals.append(Arrival(source, slot, target, values_of(part), came))


def subscript(number: int) -> str:
    """A number in subscripts.

    >>> subscript(13)
    '₁₃'
    """
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def elements(quantity: Quantity) -> Iterator[str]:
    """The names of the elements, in row-major order: a₁, a₂ ...; of a scalar its name.

    >>> list(elements(Quantity("w", "leaf", (1, 2))))
    ['w₁', 'w₂']
    """
    if quantity.size == 1:
        yield quantity.name
    else:
        yield from (quantity.name + subscript(k) for k in range(1, quantity.size + 1))
