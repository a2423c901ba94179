"""`trace`: run a model once, forward and backward, and draw the graph with its measurements."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np

import tinygrad_cnn
from tinygrad_cnn import Tensor, engine, nn

from .look import Look
from .picture import Picture
from .record import walk
from .steps import Stepper
from .verdicts import Report, add_verdicts
from .watch import same_buffers, watched


def trace(
    model: nn.Module,
    *inputs: Any,
    loss: Callable[[Any], Tensor] | None = None,
    verdicts: Report | None = None,
    **look: Unpack[Look],
) -> Picture:
    """A picture of one run of `model(*inputs)`, forward and backward, with measurements.

    Args:
        model: a Module.
        inputs: its arguments. Arrays become Tensors.
        loss: a function of the model's output that returns a scalar Tensor. By default the sum of
            all outputs is differentiated.
        verdicts: the path of a report that `pytest --gradcheck-report=FILE` wrote.
        look: the options of `Picture`: direction, depth, fold, heat, phase, show, limit.

    `trace` measures each op's time, output size, memory kept, gradient norm and values that are not
    finite, and sees the module and the source line that ran it. It sees ops without gradients too,
    so it draws a frozen model, which has no backward pass. `picture.table()` lists the ops,
    `picture.steps` has the backward pass.

    The run is a training step without the update. It draws random numbers (dropout), but gradients
    and buffers stay unchanged. Times are of one run. The first call of an op compiles it, so run
    the model once before.

    Raises TypeError if `model` is not a Module or an output not a Tensor, and ValueError if the loss
    is not a scalar.

    >>> import tinygrad_cnn as tc
    >>> picture = trace(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), tc.ones(4, 3))
    >>> [(n.name, n.cluster, n.measured.nbytes) for _, n in picture.graph.ops()]
    [('linear', '0', 32), ('relu', '1', 32), ('sum', None, 4)]
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"trace: expected a Module, got {type(model).__name__}")
    given = [tinygrad_cnn.tensor(x) if isinstance(x, np.ndarray) else x for x in inputs]
    with same_buffers(model), watched(model) as watch:
        output = model(*given)
        watch.role = "target"  # data that only the loss uses
        ends = _ends(output) if loss is None else [_scalar(loss(output))]
        names = _input_names(model, given)
        if len(ends) == 1 and ends[0].requires_grad:
            names["sum" if loss is None else "loss"] = ends[0]
        elif len(ends) == 1:
            names["output" if loss is None else "loss"] = ends[0]
        walked = walk(ends, model, names, watch)
        graph = walked.graph()
        stepper = Stepper(walked)
        if ends[0].requires_grad and (leaves := stepper.leaves()):
            with engine.observe(stepper):
                tinygrad_cnn.autograd.grad(ends[0], leaves, allow_unused=True)
    if verdicts is not None:
        add_verdicts(graph, verdicts)
    return Picture(graph, steps=stepper.steps(graph), title=type(model).__name__, **look)


def _input_names(model: nn.Module, inputs: Sequence[object]) -> dict[str, Tensor]:
    """The Tensors among the inputs, by the names of the parameters of `forward`."""
    names = [
        p.name
        for p in inspect.signature(model.forward).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    names += [f"input {k}" for k in range(len(names), len(inputs))]
    return {name: x for name, x in zip(names, inputs, strict=False) if isinstance(x, Tensor)}


def _ends(output: object) -> list[Tensor]:
    """The sum of all elements of the outputs that require grad; if there are none, the outputs."""
    outputs: list[Any] = list(output) if isinstance(output, (tuple, list)) else [output]
    total: Tensor | None = None
    for tensor in outputs:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"trace: the model returned a {type(tensor).__name__}, wanted a Tensor")
        if tensor.requires_grad:
            total = tensor.sum() if total is None else total + tensor.sum()
    return outputs if total is None else [total]


def _scalar(loss: object) -> Tensor:
    """The loss, checked."""
    if not isinstance(loss, Tensor):
        raise TypeError(f"trace: the loss returned a {type(loss).__name__}, wanted a Tensor")
    if loss.ndim != 0:
        raise ValueError(f"trace: the loss has shape {tuple(loss.shape)}, wanted a scalar")
    return loss
