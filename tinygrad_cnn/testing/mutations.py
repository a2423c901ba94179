"""Stock mistakes: what `mutation_score` makes of a right op.

Each `Mutation` builds a wrong copy of the op. Its `Watch` learns, while the copy runs, whether what
it gave ever differed from what the op gives: if not, it is no mistake for that op at all.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine import Op, Recorded, variant, wrap
from ..ops import cast, expand
from .calls import Call
from .compare import same_bits
from .differences import plain
from .values import Array

LITTLE = 1.0005


class Watch:
    """Whether a mutant has done something else than the original."""

    changed = False

    def compare(self, wanted: Any, found: Any) -> Any:
        """Note whether `found` differs from `wanted`; return it."""
        if not self.changed:
            a, b = np.asarray(plain(wanted)), np.asarray(plain(found))
            self.changed = a.dtype != b.dtype or not np.array_equal(
                a, b, equal_nan=a.dtype.kind == "f"
            )
        return found


class Mutation(NamedTuple):
    """A mistake: its name, the input whose gradient it spoils ("" for the forward), what makes the
    wrong op, and what shows it: one call, two, one in float32, or a second derivative.
    """

    name: str
    input: str
    make: Callable[[Op, Watch], Op]
    shown_by: str = "call"


TWO, FLOAT32, SECOND_ORDER = "two calls", "a call in float32", "the second derivative"


def parameters(vjp: Callable[..., Any]) -> list[str]:
    """The names of what a vjp takes after g."""
    return list(inspect.signature(vjp).parameters)[1:]


def rewritten(vjp: Any, run: Callable[[Any, dict[str, Any]], Any], more: Sequence[str] = ()) -> Any:
    """A vjp that calls run(g, what the vjp takes by name, and `more` beside)."""
    own = parameters(vjp)
    names = [*own, *(name for name in more if name not in own)]

    @functools.wraps(vjp)
    def mutant(g: Any, *rest: Any) -> Any:
        return run(g, dict(zip(names, rest, strict=True)))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in ("g", *names)])
    mutant.__signature__ = signature  # type: ignore[attr-defined]
    return mutant


def on_gradient(
    name: str, input: str, change: Callable[[Any, Any, Watch], Any], shown_by: str = "call"
) -> Mutation:
    """A mutation that changes what the vjp returned: change(gradient, g, watch)."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: dict[str, Any]) -> Any:
            wanted = vjp(g, *values.values())
            return watch.compare(wanted, change(wanted, g, watch))

        return variant(op, vjps={input: rewritten(vjp, run)})

    return Mutation(name, input, make, shown_by)


def like(mask: Array, gradient: Any) -> Any:
    """A constant to compute with `gradient`, array or Tensor."""
    mask = mask.astype(gradient.dtype)
    return wrap(mask) if isinstance(gradient, Recorded) else mask


# --- Wrong values -------------------------------------------------------------------------------


def scaled(d: Any, g: Any, watch: Watch) -> Any:
    return d * LITTLE


def sign_turned(d: Any, g: Any, watch: Watch) -> Any:
    return -d


def dropped(d: Any, g: Any, watch: Watch) -> Any:
    return d * 0.0


def g_added(d: Any, g: Any, watch: Watch) -> Any:
    return d + g if tuple(d.shape) == tuple(g.shape) else d


def without(place: int) -> Callable[[Any, Any, Watch], Any]:
    """Zero at one place."""

    def one_zeroed(d: Any, g: Any, watch: Watch) -> Any:
        mask = np.ones(d.shape)
        mask.reshape(-1)[place : place + 1 or None] = 0
        return d * like(mask, d)

    return one_zeroed


def one_off(d: Any, g: Any, watch: Watch) -> Any:
    more = np.zeros(d.shape)
    more.reshape(-1)[:1] = 1e-3
    return d + like(more, d)


def rolled(d: Any, g: Any, watch: Watch) -> Any:
    size = math.prod(d.shape)
    if size < 2:
        return d
    return d.reshape((-1,))[np.roll(np.arange(size), 1)].reshape(tuple(d.shape))


def transposed(d: Any, g: Any, watch: Watch) -> Any:
    square = len(d.shape) > 1 and d.shape[-1] == d.shape[-2]
    return d.swapaxes(-1, -2) if square else d


def reversed_first(d: Any, g: Any, watch: Watch) -> Any:
    return d[::-1] if len(d.shape) else d


def as_large_as_g(d: Any, g: Any, watch: Watch) -> Any:
    shape = tuple(d.shape)
    if shape == tuple(g.shape) or len(shape) > len(g.shape):
        return d
    try:
        both = np.broadcast_shapes(shape, tuple(g.shape))
    except ValueError:
        return d
    return expand(d, shape=both)


def times_count(d: Any, g: Any, watch: Watch) -> Any:
    sizes = math.prod(d.shape), math.prod(g.shape)
    return d * (sizes[0] / sizes[1]) if all(sizes) and sizes[0] != sizes[1] else d


def over_count(d: Any, g: Any, watch: Watch) -> Any:
    sizes = math.prod(d.shape), math.prod(g.shape)
    return d * (sizes[1] / sizes[0]) if all(sizes) and sizes[0] != sizes[1] else d


def detached_whole(d: Any, g: Any, watch: Watch) -> Any:
    return d.detach() if isinstance(d, Recorded) else d  # type: ignore[attr-defined]


def in_float64(d: Any, g: Any, watch: Watch) -> Any:
    return cast(d, dtype=np.dtype("float64"))


def noisy() -> Callable[[Any, Any, Watch], Any]:
    """Every second time a few bits more."""
    calls = 0

    def another_each_time(d: Any, g: Any, watch: Watch) -> Any:
        nonlocal calls
        calls += 1
        return d * (1 + 8 * 2.0**-52 * (calls % 2))

    return another_each_time


def over_g(d: Any, g: Any, watch: Watch) -> Any:
    """Writes to the cotangent."""
    if isinstance(g, np.ndarray) and g.size and g.flags.writeable:
        d, watch.changed = d.copy(), True
        g *= 2
    return d


def one_buffer() -> Callable[[Any, Any, Watch], Any]:
    """The same memory for the results of all calls."""
    kept: dict[Any, Array] = {}

    def workspace(d: Any, g: Any, watch: Watch) -> Any:
        if not isinstance(d, np.ndarray):
            return d
        buffer = kept.setdefault((d.shape, d.dtype), d.copy())
        if not same_bits(buffer, d):
            watch.changed = True
            buffer[...] = d
        return buffer

    return workspace


def gradients_of(input: str) -> Iterator[Mutation]:
    """The mistakes in what a vjp returns."""
    yield on_gradient(f"× {LITTLE}", input, scaled)
    yield on_gradient("sign turned", input, sign_turned)
    yield on_gradient("dropped", input, dropped)
    yield on_gradient("g added", input, g_added)
    yield on_gradient("first element zeroed", input, without(0))
    yield on_gradient("last element zeroed", input, without(-1))
    yield on_gradient("one element off by 0.001", input, one_off)
    yield on_gradient("moved by one place", input, rolled)
    yield on_gradient("transposed where square", input, transposed)
    yield on_gradient("first axis turned around", input, reversed_first)
    yield on_gradient("not summed back to the input", input, as_large_as_g)
    yield on_gradient("sum for mean: times the count", input, times_count)
    yield on_gradient("mean for sum: over the count", input, over_count)
    yield on_gradient("in float64", input, in_float64, FLOAT32)
    yield on_gradient("cut off from g", input, detached_whole, SECOND_ORDER)
    yield on_gradient("another each time", input, noisy(), TWO)
    yield on_gradient("writes to g", input, over_g)
    yield on_gradient("one buffer for all calls", input, one_buffer(), TWO)


# --- Wrong arguments ----------------------------------------------------------------------------


def on_arguments(
    name: str,
    input: str,
    change: Callable[[dict[str, Any], Watch], dict[str, Any]],
    shown_by: str = "call",
) -> Mutation:
    """A mutation that gives the vjp other values than were saved for it."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: dict[str, Any]) -> Any:
            wanted = None if watch.changed else vjp(g, *values.values())
            try:
                found = vjp(g, *change(values, watch).values())
            except Exception:
                watch.changed = True
                raise
            return (
                found
                if wanted is None or shown_by == SECOND_ORDER
                else watch.compare(wanted, found)
            )

        return variant(op, vjps={input: rewritten(vjp, run)})

    return Mutation(name, input, make, shown_by)


def stale() -> Callable[[dict[str, Any], Watch], dict[str, Any]]:
    """What an earlier call of the same shapes saved."""
    kept: dict[Any, dict[str, Any]] = {}

    def earlier(values: dict[str, Any], watch: Watch) -> dict[str, Any]:
        arrays = {n: v for n, v in values.items() if isinstance(v, np.ndarray)}
        key = tuple((n, v.shape, v.dtype) for n, v in arrays.items())
        first = kept.setdefault(key, {n: v.copy() for n, v in arrays.items()})
        return {**values, **first}

    return earlier


def detached(values: dict[str, Any], watch: Watch) -> dict[str, Any]:
    return {n: detached_whole(v, None, watch) for n, v in values.items()}


def over_saved(input: str) -> Mutation:
    """Writes to the first array of floating point that the vjp was given."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: dict[str, Any]) -> Any:
            gradient = vjp(g, *values.values())
            for value in values.values():
                if isinstance(value, np.ndarray) and value.size and value.flags.writeable:
                    gradient, watch.changed = gradient.copy(), True
                    value[...] = ~value if value.dtype == bool else value + 1
                    break
            return gradient

        return variant(op, vjps={input: rewritten(vjp, run)})

    return Mutation("writes to what is saved", input, make)


def reversed_pair(value: Any) -> Any:
    """A tuple the other way round: rows for columns."""
    return value[::-1] if isinstance(value, tuple) and len(value) > 1 else value


def turned_inside(value: Any) -> Any:
    """((top, bottom), (left, right)) as ((bottom, top), (right, left))."""
    pairs = isinstance(value, tuple) and all(isinstance(v, tuple) for v in value)
    if pairs and all(isinstance(n, int) for v in value for n in v):
        return tuple(v[::-1] for v in value)
    return value


def negated(value: Any) -> Any:
    """False for true."""
    return not value if isinstance(value, bool) else value


def smallest(values: Sequence[Any]) -> Any:
    """A neutral value of an attribute: the smallest number, or tuple of smallest numbers, that was
    seen of that form; what has no order is replaced by another one seen.
    """

    def least(first: Any, second: Any) -> Any:
        if isinstance(first, tuple):
            return tuple(least(a, b) for a, b in zip(first, second, strict=True))
        return min(first, second)

    def form(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(form(v) for v in value)
        return "number" if isinstance(value, (int, float)) else type(value)

    def of_numbers(form: Any) -> bool:
        return all(map(of_numbers, form)) if isinstance(form, tuple) else form == "number"

    def neutral(value: Any) -> Any:
        if isinstance(value, bool):
            return value
        alike = [v for v in values if not isinstance(v, bool) and form(v) == form(value)]
        if of_numbers(form(value)):
            return functools.reduce(least, alike, value)
        others = [v for v in values if repr(v) != repr(value)]
        return others[0] if others else value

    return neutral


def attribute_changes(op: Op, calls: Sequence[Call]) -> Iterator[tuple[str, str, Any]]:
    """(name of the mistake, attribute, the change) for the attributes that are no shape."""
    for name in op.attributes:
        values = [call.attributes[name] for call in calls if name in call.attributes]
        if name.endswith("shape") or not values:
            continue
        changes = {
            "rows for columns": reversed_pair,
            "before for behind": turned_inside,
            "not for yes": negated,
            "ignored": smallest(values),
        }
        for mistake, change in changes.items():
            if any(repr(change(value)) != repr(value) for value in values):
                yield f"{name}: {mistake}", name, change


def arguments_of(op: Op, input: str, calls: Sequence[Call]) -> Iterator[Mutation]:
    """The mistakes in what a vjp works with."""
    wants = parameters(op.vjps[input])
    for name, attribute, change in attribute_changes(op, calls):
        if attribute in wants:
            yield on_arguments(
                name,
                input,
                lambda values, _, at=attribute, to=change: {**values, at: to(values[at])},  # type: ignore[misc]
            )
    yield on_arguments("stale: saved by an earlier call", input, stale(), TWO)
    yield on_arguments("cut off from what is saved", input, detached, SECOND_ORDER)
    yield over_saved(input)
    for name in op.attributes:
        if any(_is_pair(call.attributes.get(name)) for call in calls):
            yield proportion(name, input)


def proportion(attribute: str, input: str) -> Mutation:
    """Times a / b of a pair of numbers (a, b): a² for a · b."""

    def make(op: Op, watch: Watch) -> Op:
        vjp = op.vjps[input]

        def run(g: Any, values: dict[str, Any]) -> Any:
            wanted, pair = vjp(g, *(values[n] for n in parameters(vjp))), values[attribute]
            if not _is_pair(pair):
                return wanted
            return watch.compare(wanted, wanted * (pair[0] / pair[1]))

        return variant(op, vjps={input: rewritten(vjp, run, [attribute])})

    return Mutation(f"{attribute}: a² for a · b", input, make)


def _is_pair(value: Any) -> bool:
    """Whether it is two positive integers."""
    pair = isinstance(value, tuple) and len(value) == 2
    return pair and all(isinstance(v, int) and v > 0 for v in value)


def broadcast_kept(op: Op) -> Iterator[Mutation]:
    """The sum over what was broadcast, which the engine makes for elementwise ops, left out."""
    if not op.elementwise:
        return

    for input in op.vjps:

        def make(op: Op, watch: Watch, input: str = input) -> Op:
            vjp = op.vjps[input]

            def run(g: Any, values: dict[str, Any]) -> Any:
                gradient = vjp(g, *(values[n] for n in parameters(vjp)))
                watch.changed |= tuple(gradient.shape) != tuple(values[f"{input}_shape"])
                return gradient

            wrong = {input: rewritten(vjp, run, [f"{input}_shape"])}
            return variant(op, vjps=wrong, elementwise=False)

        yield Mutation("broadcast not undone", input, make)
