"""Recording: `@op` makes an op of a forward, and each call of an op becomes a node.

`call` serves every call: arrays and numbers among the inputs, promotion, grad modes, observers. The
plain case, Tensors of one dtype and no observer, has a fast path for ops of one input `x` and of
two inputs `a` and `b`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, overload

from numpy import asarray, generic, ndarray

from .dtypes import promote
from .modes import grad_mode, special
from .nodes import DEPTHS, KINDS, Node, Recorded, next_number, provided, wrap
from .observers import observers
from .operation import Op, Recorder, Vjp
from .views import note_view

registry: dict[str, Op] = {}
NUMBERS = frozenset((int, float))


@overload
def op(forward: Callable[..., Any]) -> Recorder: ...
@overload
def op(
    *, residuals: Sequence[str] = (), returns: Sequence[str] = (), elementwise: bool = False,
    view: bool = False, composite: Callable[..., Any] | None = None,
    shared: dict[str, Vjp] | None = None,
) -> Callable[[Callable[..., Any]], Recorder]: ...  # fmt: skip
def op(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Make an op of `forward`, a function of arrays (positional) and attributes (keyword-only).

    The result takes Tensors and records the call, or takes arrays alone and returns an array. Its
    `defvjp` registers the vjps. Options:

    - `residuals`: names of the values that the forward returns after y, as constants for the vjps;
    - `returns`: the residuals that the op returns too, after y;
    - `elementwise`: the differentiable inputs broadcast and meet in their `result_type`, which is
      the dtype of y. The engine sums gradients back to the shapes of the inputs;
    - `view`: y shares the memory of the input;
    - `composite`: the same function made of other ops. A graph of the gradient differentiates it:
      needed where a residual depends smoothly on an input;
    - `shared`: intermediate results that several vjps use. Each is computed once, by a function
      like a vjp, and passed under its key.

    >>> import tinygrad_cnn as tc
    >>> @tc.op
    ... def example_product(a, b):
    ...     '''y = a · b        ā = ȳ · b        b̄ = ȳ · a'''
    ...     return a * b
    >>> example_product.defvjp(a=lambda g, b: g * b, b=lambda g, a: g * a)
    >>> example_product(tc.tensor([2.0]), tc.tensor([3.0]))
    tensor([6.])
    """
    if forward is None:
        return functools.partial(op, **options)
    made = define(forward, **options)
    if made.name in registry:
        module = registry[made.name].forward.__module__
        if module != forward.__module__:
            raise ValueError(f"an op {made.name!r} exists, from {module}")
    registry[made.name] = made
    return made.record


def define(forward: Callable[..., Any], **options: Any) -> Op:
    """An op that is in no registry. The options are those of `op`."""
    return _recording(Op(forward, **options))


def variant(
    op: Op,
    forward: Callable[..., Any] | None = None,
    vjps: dict[str, Callable[..., Any]] | None = None,
    **options: Any,
) -> Op:
    """An op like `op` that is in no registry, with another forward, other vjps or other options."""
    names = ("residuals", "returns", "elementwise", "view", "composite", "shared")
    made = Op(op.forward, **{name: getattr(op, name) for name in names} | options)
    made.forward = forward or op.forward
    made.defvjp(**{**op.vjps, **(vjps or {})})
    return _recording(made)


def _recording(op: Op) -> Op:
    """`op`, with its `record`."""
    count = 0 if op.variadic or op.residuals else len(op.inputs)
    if op.inputs == ("x",) and count == 1:
        record: Any = _of_one(op)
    elif op.inputs == ("a", "b") and count == 2 and op.elementwise and not op.attributes:
        record = _of_two(op)
    elif count == 3 and not op.elementwise and not op.view:
        record = _of_three(op)
    else:
        record = _of_any(op)
    vars(functools.update_wrapper(record, op.forward)).update(op=op, defvjp=op.defvjp)
    op.record = record
    return op


def _of_one(op: Op) -> Callable[..., Any]:
    """The recorder of an op of one input `x`."""
    attribute_count = len(op.attributes)

    def record(x: Any, **attributes: Any) -> Any:
        if not isinstance(x, Recorded):  # a vjp's call on bare arrays
            return op.forward(x, **attributes)
        if special or len(attributes) != attribute_count:
            return call(op, op.forward, (x,), attributes)
        array = x._array
        parent = x._node
        result = op.forward(array, **attributes) if attribute_count else op.forward(array)
        if type(result) is not ndarray:  # NumPy makes scalars of 0-d arrays
            result = asarray(result) if isinstance(result, generic) else op.result(result)
        y = provided.new_tensor()
        y._array = result
        if parent is None:
            y._node = None
        else:
            depth = parent.depth
            y._node = node = KINDS[depth]()
            node.depth = DEPTHS[depth]
            node.op = op
            node.first = parent
            node.second = node.extra = None
            node.number = next_number()
            saves = op.saves
            if saves == "nothing":
                node.saved = ()
            elif saves == "x":
                node.saved = (array,)
            elif saves == "y":
                node.saved = (result,)
            else:
                keep, _ = op.keepers.get((False,)) or op.new_keeper((False,))
                node.saved = keep((array, result))
            node.static = op.attribute_values(attributes) if attribute_count else ()
            if op.shapes:
                node.static += (array.shape,)
            node.shape = result.shape
            node.dtype = result.dtype
        if op.view:
            note_view(y, x, op, attributes)
        return y

    return record


def _of_two(op: Op) -> Callable[..., Any]:
    """The recorder of an elementwise op of two inputs `a` and `b`, without attributes."""

    def record(a: Any, b: Any) -> Any:
        if not isinstance(a, Recorded):
            if not isinstance(b, Recorded):  # a vjp's call on bare arrays
                return op.forward(a, b)
            return call(op, op.forward, (a, b), {})
        left = a._array
        first = a._node
        dtype = left.dtype
        if isinstance(b, Recorded):
            right = b._array
            second = b._node
            alike = dtype is right.dtype
        else:  # a number, which a tensor of floating point takes as it is
            right = b
            second = None
            alike = dtype.kind == "f" and type(b) in NUMBERS
        if special or not alike:
            return call(op, op.forward, (a, b), {})
        try:
            result = op.forward(left, right)
        except ValueError:
            raise op.mismatch((left, right)) from None
        if type(result) is not ndarray:  # NumPy makes scalars of 0-d arrays
            result = asarray(result) if isinstance(result, generic) else op.result(result)
        y = provided.new_tensor()
        y._array = result
        saves = op.saves
        deepest = first
        if second is not None and (first is None or first.depth < second.depth):
            deepest = second
        if deepest is None:
            y._node = None
        elif saves is None:
            absent = first is None, second is None
            values = (left, right, result, None)
            y._node = _node(op, first, second, absent, values, {}, result)
        else:
            depth = deepest.depth
            y._node = node = KINDS[depth]()
            node.depth = DEPTHS[depth]
            node.op = op
            node.first = first
            node.second = second
            node.extra = None
            node.number = next_number()
            if saves == "nothing":
                node.saved = ()
            else:
                node.saved = (None if second is None else left, None if first is None else right)
            node.static = ()
            node.shape = result.shape
            node.dtype = dtype
        return y

    return record


def _of_three(op: Op) -> Callable[..., Any]:
    """The recorder of an op of three inputs, as a layer's: x, weight and bias."""
    attribute_count = len(op.attributes)

    def record(*inputs: Any, **attributes: Any) -> Any:
        if len(inputs) < 3 or len(attributes) != attribute_count:
            inputs, attributes = op.bind(inputs, attributes)
        x, weight, bias = inputs
        first = second = third = None
        tensors = 3
        if isinstance(x, Recorded):
            first = x._node
            x = x._array
        else:
            tensors -= 1
        if isinstance(weight, Recorded):
            second = weight._node
            weight = weight._array
        else:
            tensors -= 1
        if isinstance(bias, Recorded):
            third = bias._node
            bias = bias._array
        else:
            tensors -= 1
        if special and tensors:
            return call(op, op.forward, inputs, attributes)
        result = op.forward(x, weight, bias, **attributes)
        if not tensors:  # a vjp's call on bare arrays
            return result
        if type(result) is not ndarray:
            result = asarray(result) if isinstance(result, generic) else op.result(result)
        y = provided.new_tensor()
        y._array = result
        absent = first is None, second is None, third is None
        if False in absent:
            values = (x, weight, bias, result, None)
            y._node = _node(op, (first, second, third), None, absent, values, attributes, result)
        else:
            y._node = None
        return y

    return record


def _of_any(op: Op) -> Callable[..., Any]:
    """The recorder of any op."""
    input_count, attribute_count = len(op.inputs), len(op.attributes)

    def record(*inputs: Any, **attributes: Any) -> Any:
        if len(inputs) < input_count or len(attributes) != attribute_count:
            inputs, attributes = op.bind(inputs, attributes)
        for x in inputs:
            if isinstance(x, Recorded):
                return call(op, op.forward, inputs, attributes)
        if op.residuals:
            return op.on_arrays(inputs, attributes)
        return op.forward(*inputs, **attributes)  # a vjp's call on bare arrays

    return record


def call(
    op: Op, forward: Callable[..., Any], inputs: tuple[Any, ...], attributes: dict[str, Any],
    promoting: bool = True,
) -> Any:  # fmt: skip
    """Run `forward`, that of the op or its in-place form, and record the call as one of `op`.

    Among the inputs there may be arrays and numbers beside the Tensors. Without `promoting` the
    dtypes of the inputs are left as they are.
    """
    if len(attributes) != len(op.attributes):
        inputs, attributes = op.bind(inputs, attributes)
    arrays: list[Any] = []
    parents: list[Node | None] = []
    narrow = None
    for x in inputs:
        if isinstance(x, Recorded):
            arrays.append(x._array)
            parents.append(x._node)
        else:
            arrays.append(x)
            parents.append(None)
    absent = [parent is None for parent in parents]
    if op.elementwise and promoting and len(op.meeting) > 1:
        for k, array in zip(op.meeting, promote(*[arrays[k] for k in op.meeting]), strict=True):
            arrays[k] = array
            if type(array) is ndarray and array.dtype.kind == "V":
                narrow = array.dtype  # bfloat16: with a number NumPy computes float32
    for observer in list(observers):
        observer.op_called(op, attributes)
        observer.op_begins(op)
    try:
        result = forward(*arrays, **attributes)
    except ValueError:
        if op.elementwise:
            raise op.mismatch(arrays) from None
        raise
    residuals: Any = ()
    if op.residuals:
        if type(result) is not tuple or len(result) != len(op.residuals) + 1:
            result = op.result(result, residuals=True)
        result, *residuals = result
    if type(result) is not ndarray and not isinstance(result, generic):
        result = op.result(result)
    if narrow is not None and result.dtype is not narrow:
        result = result.astype(narrow)
    y = wrap(result)
    if False in absent and not (special and not grad_mode.enabled):
        first, second = (tuple(parents), None) if len(parents) > 2 else (*parents, None)[:2]
        if op.variadic:
            first, second, arrays, absent = tuple(parents), None, [tuple(arrays)], [False]
        values = (*arrays, y._array, *residuals, None)
        y._node = _node(op, first, second, tuple(absent), values, attributes, y._array)
    for observer in list(observers):
        observer.op_ran(op, inputs, y, y._node)
    if op.view:
        note_view(y, inputs[0], op, attributes)
    return (y, *map(wrap, op.returned(residuals))) if op.returns else y


def _node(
    op: Op, first: Any, second: Any, absent: tuple[bool, ...], values: tuple[Any, ...],
    attributes: dict[str, Any], result: ndarray,
) -> Node:  # fmt: skip
    """The node of a call. It saves the values for the vjps that may run.

    `values`: (*inputs, y, *residuals, None); `absent`: which inputs need no gradient.
    """
    keep, shapes = op.keepers.get(absent) or op.new_keeper(absent)
    depth = 0
    for parent in first if type(first) is tuple else (first, second):  # the deepest
        if parent is not None and parent.depth > depth:
            depth = parent.depth
    node = KINDS[depth]()
    node.depth = DEPTHS[depth]
    node.op = op
    node.first = first
    node.second = second
    node.extra = None
    node.number = next_number()
    node.saved = keep(values)
    static = op.attribute_values(attributes)
    node.static = static + shapes(values) if shapes else static
    node.shape = result.shape
    node.dtype = result.dtype
    return node
