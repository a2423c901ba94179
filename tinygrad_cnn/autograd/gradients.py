"""Gradients on request: `backward` adds them to `.grad`, `grad` returns them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .. import engine
from ..atomic import quiet
from ..engine import Recorded, recording, wrap

if TYPE_CHECKING:
    from ..tensor import Tensor

Tensors: TypeAlias = "Tensor | Sequence[Tensor]"
Cotangents: TypeAlias = "Tensor | Sequence[Tensor | None] | None"


def _tuple(tensors: Any) -> tuple[Any, ...]:
    return (tensors,) if isinstance(tensors, Recorded) or tensors is None else tuple(tensors)


def _roots(
    what: str, tensors: tuple[Any, ...], cotangents: Any, create_graph: bool
) -> list[tuple[Any, Any]]:
    """The node of each tensor with its cotangent, after checks."""
    given = _tuple(cotangents) if cotangents is not None else (None,) * len(tensors)
    if len(given) != len(tensors):
        raise RuntimeError(f"{what}: got {len(tensors)} tensors and {len(given)} gradients")
    roots = []
    for k, (y, g) in enumerate(zip(tensors, given, strict=True)):
        if not isinstance(y, Recorded):
            raise TypeError(f"{what}: expected Tensors, got {type(y).__name__}")
        if y._node is None:
            raise RuntimeError(
                f"element {k} of tensors does not require grad and does not have a grad_fn"
            )
        array = y._array
        if g is None:
            if array.size != 1:
                raise RuntimeError(
                    f"grad can be implicitly created only for scalar outputs: this has shape "
                    f"{array.shape}; sum it, or give the gradient"
                )
            g = wrap(np.ones(array.shape, array.dtype))
        elif not isinstance(g, Recorded):
            raise TypeError(f"{what}: a gradient must be a Tensor or None, got {type(g).__name__}")
        if g._array.shape != array.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{k}] has a shape of {g._array.shape} and "
                f"output[{k}] has a shape of {array.shape}"
            )
        roots.append((y._node, g if create_graph else g._array))
    return roots


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """The Tensor itself: older code wraps Tensors in Variables.

    >>> Variable(tc.ones(1))
    tensor([1.])
    """
    return data.requires_grad_() if requires_grad else data


def backward(
    tensors: Tensors,
    grad_tensors: Cotangents = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Cotangents = None,
    inputs: Tensors | None = None,
) -> None:
    """Add the gradients of the sum of `tensors` to the `.grad` of the leaves of their graph.

    `grad_tensors` are the cotangents; None stands for 1, for a Tensor with one element.
    `grad_variables` is its old name, with a warning. `inputs` restricts the gradients to these
    Tensors. Saved arrays are freed, unless `retain_graph`. `create_graph` records the graph of the
    gradients.

    Raises RuntimeError for a Tensor that requires no grad, for several elements without a cotangent,
    and where a saved array was freed or changed in place. No `.grad` changes then.

    >>> x = tc.tensor([1.0, 2.0], requires_grad=True)
    >>> backward([x.sum(), (x * x).sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    if grad_variables is not None:
        warnings.warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.",
            FutureWarning,
            stacklevel=2,
        )
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    tensors = _tuple(tensors)
    retain = create_graph if retain_graph is None else retain_graph
    targets = None
    if inputs is not None:
        targets = [x._node for x in _tuple(inputs)]
        if not targets or None in targets:
            raise RuntimeError(
                "backward: one of the inputs does not require grad, or there is none"
            )
        for x in _tuple(inputs):
            if not x.is_leaf:
                x.retain_grad()
    roots = _roots("backward", tensors, grad_tensors, create_graph)
    with recording(create_graph), quiet():
        kept = engine.backward(
            roots, targets=targets, retain_graph=retain, create_graph=create_graph
        )
        engine.accumulate(kept, create_graph)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Cotangents = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`.

    No `.grad` changes, except of Tensors on the way that retain theirs.

    `grad_outputs` are the cotangents; None stands for 1, for a Tensor with one element. For an input
    that the outputs do not depend on the result is None with `allow_unused`, zeros with
    `materialize_grads`, and a RuntimeError otherwise. Saved arrays are freed, unless `retain_graph`.
    `create_graph` records the graph of the gradients. `only_inputs` has no effect.

    Raises RuntimeError as `backward`, NotImplementedError for `is_grads_batched`.

    >>> x = tc.tensor(3.0, requires_grad=True)
    >>> (dx,) = grad(x * x, x, create_graph=True)
    >>> dx, grad(dx, x)
    (tensor(6., grad_fn=<AddBackward0>), (tensor(2.),))
    """
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True): to add to "
            "the .grad of other leaves, use backward",
            FutureWarning,
            stacklevel=2,
        )
    if is_grads_batched:
        raise NotImplementedError("grad: is_grads_batched is unsupported: loop over the gradients")
    if allow_unused is False and materialize_grads:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    outputs, inputs = _tuple(outputs), _tuple(inputs)
    if any(not isinstance(x, Recorded) or x._node is None for x in inputs):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    retain = create_graph if retain_graph is None else retain_graph
    roots = _roots("grad", outputs, grad_outputs, create_graph)
    with recording(create_graph), quiet():
        kept = engine.backward(
            roots,
            targets=[x._node for x in inputs],
            retain_graph=retain,
            create_graph=create_graph,
        )
    found: Sequence[Any] = [kept.get(x._node) for x in inputs]
    if materialize_grads:
        found = [
            wrap(np.zeros_like(x._array)) if g is None else g
            for x, g in zip(inputs, found, strict=True)
        ]
    elif not allow_unused and any(g is None for g in found):
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph. Set "
            "allow_unused=True if this is the desired behavior."
        )
    retained = {n: g for n, g in kept.items() if n.extra is not None and "retain" in n.extra}
    if retained:
        with recording(create_graph), quiet():
            engine.accumulate(retained, create_graph)
    results: Any = (g if g is None or isinstance(g, Recorded) else wrap(np.array(g)) for g in found)
    return tuple(results)
