"""Windows: which elements of an input an element of the output depends on, and with which factor.

An op's vjp is linear in the cotangent. So the vjp of each unit vector gives the derivative of one
output element by all elements of the input, exactly as the engine computes it: strides, padding, ties
and shares need no second implementation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinygrad_cnn import Tensor, autograd, engine, no_grad, ops, tensor

Array = NDArray[np.float64]
MAX_ELEMENTS = 64  # of an array whose elements are followed


@dataclass
class Window:
    """How one input enters an op: an entry for each output element and each input element.

    Attributes:
        factors: ∂y/∂x, (outputs, inputs).
        inside: where the input element belongs to the window of the output element; the factor may
            be 0 there: an element that is not the maximum.
        operand: the input whose elements the factors are, if the op is a product of both; else None.
        element: which element of `operand` each factor is; −1 outside of the window.
        fixed: the factors depend on no value.
    """

    factors: Array
    inside: NDArray[np.bool_]
    operand: int | None = None
    element: NDArray[np.intp] | None = None
    fixed: bool = False


def windows(
    node: engine.Node, values: Sequence[np.ndarray | float | None], known: bool = True
) -> dict[int, Window]:
    """The windows of the inputs of a recorded op, by the number of the input.

    `values` are those of its inputs, None for one that was not given; `known` is False if some of
    them are missing. An input is left out if it or the output has more than MAX_ELEMENTS elements, or
    if its derivative cannot be computed.

    >>> import tinygrad_cnn as tc
    >>> a, b = tc.tensor([[2.0, 3.0]], requires_grad=True), tc.tensor([[5.0], [7.0]])
    >>> found = windows((a @ b).grad_fn, [a.detach().numpy(), b.numpy()])
    >>> found[0].factors, found[1].operand, found[1].element
    (array([[5., 7.]]), 0, array([[0, 1]]))
    """
    if node.shape is None or len(values) != len(node.parents):
        return {}  # of several outputs
    if math.prod(node.shape) > MAX_ELEMENTS:
        return {}
    small = [
        k for k, value in enumerate(values)
        if _is_small(value) or (value is None and _is_followed(node.parents[k]))
    ]  # fmt: skip
    try:
        found = _derivatives(node, values, small, known)
    except (RuntimeError, TypeError, ValueError):  # an op that does not run on these values alone
        return {}
    result = {}
    for k, factors in found.items():
        window = Window(factors, factors != 0, fixed=_is_fixed(node))
        if known and hasattr(node.op, "record"):
            _name_factors(node, values, k, window)
        if node.op.name == "max_pool2d" and known:
            window.inside = _compared(node, values[k])
        result[k] = window
    return result


def is_floating(value: object) -> bool:
    """Whether it is an array of floating point: bfloat16 is of kind V.

    >>> is_floating(np.ones(2)), is_floating(np.arange(2)), is_floating(1.0)
    (True, False, False)
    """
    return isinstance(value, np.ndarray) and value.dtype.kind in "fV"


def _is_small(value: Any) -> bool:
    return is_floating(value) and 0 < value.size <= MAX_ELEMENTS


def _is_followed(parent: engine.Node | None) -> bool:
    """Whether an input whose value is unknown has a gradient, of few elements."""
    if parent is None or parent.shape is None:
        return False
    return 0 < math.prod(parent.shape) <= MAX_ELEMENTS


def _is_fixed(node: engine.Node) -> bool:
    """Whether the vjps use no value, but shapes and attributes."""
    return isinstance(node.op, engine.Op) and not node.op.saved


def _derivatives(
    node: engine.Node, values: Sequence[Any], wanted: Sequence[int], known: bool
) -> dict[int, Array]:
    """∂y/∂x for the inputs `wanted`: by the vjps of the node, of the others by a call of its own."""
    own = [k for k in wanted if node.parents[k] is not None]
    found = _by_vjps(node, own) if own else {}
    missing = [k for k in wanted if k not in found]
    if missing and known:
        found |= _by_vjps(_again(node, values, missing), missing)
    return found


def _again(node: engine.Node, values: Sequence[Any], wanted: Sequence[int]) -> engine.Node:
    """The node of a new call on these values, of which the inputs `wanted` require grad."""
    given = [
        tensor(np.asarray(v, np.float64), requires_grad=True) if k in wanted
        else tensor(v) if isinstance(v, np.ndarray) else v
        for k, v in enumerate(values)
    ]  # fmt: skip
    with autograd.enable_grad():
        y = node.op.record(*given, **node.attributes)
    made = (y[0] if isinstance(y, tuple) else y).grad_fn
    if not isinstance(made, engine.Node):
        raise TypeError(f"{node.op.name} recorded nothing")
    return made


def _by_vjps(node: engine.Node, wanted: Sequence[int]) -> dict[int, Array]:
    count = math.prod(node.shape)
    slots = [k for k, parent in enumerate(node.parents) if parent is not None]
    found: dict[int, Array] = {}
    with no_grad(), np.errstate(all="ignore"):
        for j in range(count):
            unit = np.zeros(node.shape, node.dtype)
            unit.flat[j] = 1
            pairs = node.op.backward(unit, node.first, node.second, node.saved, node.static)
            gradients = [g for parent, g in pairs if parent is not None]
            for k, g in zip(slots, gradients, strict=True):
                shape = node.parents[k].shape  # type: ignore[union-attr]  # slots have a parent
                if k in wanted and g is not None:
                    row = values_of(ops.sum_to(values_of(g), shape=shape)).ravel()
                    found.setdefault(k, np.zeros((count, row.size)))[j] = row
    return found


# --- Names of the factors -----------------------------------------------------------------------


def _name_factors(node: engine.Node, values: Sequence[Any], k: int, window: Window) -> None:
    """Find out whether the factors are elements of another input, and which.

    That input is replaced by numbers that name its elements, twice. In a product both runs give the
    number of the same element; and elements that are 0 now are seen to be inside the window.
    """
    for m, value in enumerate(values):
        if m == k or not _is_small(value):
            continue
        order = np.arange(1, value.size + 1)
        places = []
        for codes in (order, order[::-1] + value.size):
            coded = list(values)
            coded[m] = codes.reshape(value.shape).astype(np.float64)
            try:
                factors = _by_vjps(_again(node, coded, [k]), [k])[k]
            except (RuntimeError, TypeError, ValueError, KeyError):
                break
            known = np.isin(factors, codes)
            if not np.array_equal(known, factors != 0):
                break
            at = np.full(factors.shape, -1)
            at[known] = np.searchsorted(np.sort(codes), factors[known])
            places.append(at if codes[0] == 1 else np.where(at < 0, -1, value.size - 1 - at))
        if len(places) == 2 and np.array_equal(places[0], places[1]) and (places[0] >= 0).any():
            window.operand, window.element, window.inside = m, places[0], places[0] >= 0
            return


def _compared(node: engine.Node, x: Any) -> NDArray[np.bool_]:
    """The window of each output element of max pooling: where a single 1 among zeros comes out."""
    inside = np.zeros((math.prod(node.shape), x.size), bool)
    for i in range(x.size):
        probe = np.zeros(x.shape)
        probe.flat[i] = 1
        y, *_ = node.op.record(tensor(probe), **node.attributes)
        inside[:, i] = y.numpy().ravel() == 1
    return inside


def values_of(value: Tensor | np.ndarray | float) -> Array:
    """A copy of the numbers of a tensor, an array or a number, in float64.

    >>> values_of(2)
    array(2.)
    """
    array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
    return np.array(array, np.float64)
