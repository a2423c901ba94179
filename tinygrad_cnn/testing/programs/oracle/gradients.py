"""Gradients of the oracle: `Tensor.backward` and `grad`. Importing this module gives Tensor the method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .tape import Flat, Node, Receiver, added, leading_to, walk_back
from .tensor import Tensor, placed


def backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of the leaves, and of tensors that retain theirs, to their `grad`.

    With `inputs`, only those of these tensors, and of tensors on the way that retain theirs.
    """
    for x in inputs or ():
        x.retain_grad()
    targets = None if inputs is None else [x.node for x in inputs]
    for node, g in _walk(self, gradient, retain_graph, create_graph, targets).items():
        _keep(node.keepers if node.owner is None else [node.owner], g)


def grad(
    y: Tensor,
    inputs: Sequence[Tensor],
    grad_outputs: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> tuple[Tensor, ...]:
    """The gradients of y with respect to tensors. RuntimeError if y does not depend on one of them."""
    targets = [x.node for x in inputs]
    root = y.node
    if root is None or not all(t is not None and root in leading_to([t], root) for t in targets):
        raise RuntimeError("grad: not on the tape, or unused")
    found = _walk(y, grad_outputs, retain_graph, create_graph, targets)
    for node, g in found.items():
        _keep(node.keepers, g)
    gradients = [found[t] for t in targets if t is not None]
    return tuple(
        placed(g.values.reshape(x.shape).copy(), g.node)
        for x, g in zip(inputs, gradients, strict=True)
    )


def _walk(
    y: Tensor,
    gradient: Tensor | None,
    retain_graph: bool | None,
    create_graph: bool,
    targets: Sequence[Node | None] | None,
) -> dict[Node, Flat]:
    root = y.node
    if root is None or (gradient is None and y.array.size != 1):
        raise RuntimeError("backward: not on the tape, or no scalar")
    start = np.ones(1) if gradient is None else gradient.array.ravel().copy()
    retain = create_graph if retain_graph is None else retain_graph
    ends = None if targets is None else [t for t in targets if t is not None]
    return walk_back(root, start, retain, create_graph, ends)


def _keep(tensors: Sequence[Receiver], g: Flat) -> None:
    """Add a gradient to the `grad` of tensors."""
    for x in tensors:
        flat = g if x.grad is None else added(Flat(x.grad.array.ravel(), x.grad.node), g)
        x.grad = placed(flat.values.reshape(x.shape).copy(), flat.node)


Tensor.backward = backward  # type: ignore[attr-defined]
