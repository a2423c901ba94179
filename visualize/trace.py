"""`trace`: run a model once, forward and backward, and draw the graph with its measurements."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    kwargs: Mapping[str, Any] | None = None,
    loss: Callable[[Any], Tensor] | None = None,
    verdicts: Report | None = None,
    **look: Unpack[Look],
) -> Picture:
    """A picture of one run of `model(*inputs, **kwargs)`, forward and backward, with measurements.

    Args:
        model: a Module.
        inputs, kwargs: its arguments. Arrays become Tensors, also in dicts, lists and tuples.
        loss: a function of the model's output that returns a scalar Tensor. By default the sum of
            all outputs is differentiated: a Tensor, or a dict, list or tuple of outputs, where None
            counts as nothing.
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
    is not a scalar. An error of the model passes through; `explain(error)` draws the ops up to it.

    >>> import tinygrad_cnn as tc
    >>> picture = trace(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), tc.ones(4, 3))
    >>> [(n.name, n.cluster, n.measured.nbytes) for _, n in picture.graph.ops()]
    [('linear', '0', 32), ('relu', '1', 32), ('sum', None, 4)]
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"trace: expected a Module, got {type(model).__name__}")
    given = [_tensors(x) for x in inputs]
    named = {name: _tensors(x) for name, x in (kwargs or {}).items()}
    with same_buffers(model), watched(model) as watch:
        try:
            output = model(*given, **named)
            watch.role = "target"  # data that only the loss uses
            ends = _ends(output) if loss is None else [_scalar(loss(output))]
        except Exception as error:
            error.add_note("visualize.explain(error) draws the ops up to this error")
            raise
        names = _input_names(model, given, named)
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


def _tensors(value: Any) -> Any:
    """An argument with its arrays as Tensors, also those in dicts, lists and tuples."""
    if isinstance(value, np.ndarray):
        return tinygrad_cnn.tensor(value)
    if isinstance(value, Mapping):
        return {key: _tensors(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_tensors(item) for item in value)
    return value


def _input_names(
    model: nn.Module, inputs: Sequence[object], named: Mapping[str, object]
) -> dict[str, Tensor]:
    """The Tensors among the arguments, by the names of the parameters of `forward`.

    Those in a dict or a sequence are named "batch['mask']", "states[0]".
    """
    names = [
        p.name
        for p in inspect.signature(model.forward).parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    names += [f"input {k}" for k in range(len(names), len(inputs))]
    arguments = {**dict(zip(names, inputs, strict=False)), **named}
    return {name: x for name, value in arguments.items() for name, x in _leaves(value, name)}


def _leaves(value: object, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """The Tensors in nested dicts, lists and tuples, with their paths."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{name}[{key!r}]")
    elif isinstance(value, (tuple, list)):
        for k, item in enumerate(value):
            yield from _leaves(item, f"{name}[{k}]")


def _check_outputs(output: object) -> None:
    """Raise TypeError for an output that is neither a Tensor nor None nor a container of these."""
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, (tuple, list)):
        for item in output:
            _check_outputs(item)
    elif output is not None and not isinstance(output, Tensor):
        raise TypeError(f"trace: the model returned a {type(output).__name__}, wanted a Tensor")


def _ends(output: object) -> list[Tensor]:
    """The sum of all elements of the outputs that require grad; if there are none, the outputs."""
    _check_outputs(output)
    outputs = [tensor for _, tensor in _leaves(output)]
    total: Tensor | None = None
    for _, tensor in _leaves(output):
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
