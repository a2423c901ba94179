"""summary: the output shape, parameters, multiply-adds and saved memory of each module of a model.

The model runs once. Hooks tell which module is running; an observer sees each op, so that functional
calls count like layers; the nodes of the graph tell which arrays they save.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import engine, functions, random
from ..creation import from_numpy
from ..engine import Observer, Recorded, enable_grad, observe
from ..engine.dtypes import get_default_dtype
from ..tensor import Tensor
from .module import Module

__all__ = ["summary"]


# --- Multiply-adds of an op, from the shapes of its inputs, the shape of y, and its attributes -----


def _convolution(shapes: Any, y: Any, _: Any) -> int:
    return math.prod(y) * math.prod(shapes[1][1:])  # y[n, f, ..] sums over C/groups · I · J


def _transposed(shapes: Any, y: Any, _: Any) -> int:
    return math.prod(shapes[0]) * math.prod(shapes[1][1:])


def _product(shapes: Any, y: Any, _: Any) -> int:
    return math.prod(y) * shapes[0][-1]


def _contraction(shapes: Any, y: Any, attributes: dict[str, Any]) -> int:
    a, b = shapes
    if attributes:
        labels = (*attributes["of_a"], *attributes["of_b"])
        return math.prod(dict(zip(labels, (*a, *b), strict=True)).values())
    # the op was not recorded: each label is in two of the three shapes, unless it is a batch label
    return math.isqrt(math.prod(a) * math.prod(b) * math.prod(y))


def _recurrent(shapes: Any, y: Any, _: Any) -> int:
    *_, w_ih, w_hh, _, _ = shapes
    return (math.prod(w_ih) + math.prod(w_hh)) * shapes[0][0]  # for each row of x


MULTIPLY_ADDS: dict[str, Callable[[Any, Any, dict[str, Any]], int]] = {
    "conv2d": _convolution,
    "conv3d": _convolution,
    "conv2d_input": _transposed,
    "conv3d_input": _transposed,
    "linear": _product,
    "matmul": _product,
    "contract": _contraction,
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _recurrent,
}


# --- The result -----------------------------------------------------------------------------------


@dataclass
class Row:
    """One module, without the modules inside it: these have separate rows.

    - `name`: the name in `named_modules`; "" is the model itself;
    - `output_shape`: of the last call, nested like the output; None where it was not called;
    - `parameters`, `trainable`: numbers of elements; a shared parameter counts in its first row;
    - `multiply_adds`: of one forward pass;
    - `saved`: bytes of the arrays that the graph saves for the backward pass;
    - `calls`: how often the module ran.
    """

    name: str
    type: str
    output_shape: Any = None
    parameters: int = 0
    trainable: int = 0
    multiply_adds: int = 0
    saved: int = 0
    calls: int = 0


@dataclass
class Summary:
    """The rows of the modules, parents before children, and their totals. `str` is a table, which
    notebooks show in HTML.
    """

    input_shapes: tuple[Any, ...]
    parameter_bytes: int = 0
    rows: list[Row] = field(default_factory=list)

    @property
    def parameters(self) -> int:
        """The number of elements of all parameters; a shared parameter counts once."""
        return sum(row.parameters for row in self.rows)

    @property
    def trainable(self) -> int:
        """The number of elements of the parameters that require grad."""
        return sum(row.trainable for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """The multiply-adds of convolutions, linear layers and matrix products, in one forward pass."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def saved(self) -> int:
        """The bytes that the graph saves for the backward pass, without parameters and buffers."""
        return sum(row.saved for row in self.rows)

    def _table(self) -> list[list[str]]:
        table = [["", "Layer", "Output shape", "Parameters", "Multiply-adds", "Saved"]]
        for row in self.rows:
            times = f" ×{row.calls}" if row.calls > 1 else ""
            shape = "not called" if not row.calls else _text(row.output_shape)
            counts = (f"{n:,}" if n else "" for n in (row.parameters, row.multiply_adds))
            table.append([row.name, row.type + times, shape, *counts, _size(row.saved)])
        return table

    def _totals(self) -> list[tuple[str, str]]:
        frozen = self.parameters - self.trainable
        kinds = f" ({self.trainable:,} trainable, {frozen:,} frozen)" if frozen else ""
        return [
            ("Input", ", ".join(map(_text, self.input_shapes))),
            ("Parameters", f"{self.parameters:,}{kinds}, {_size(self.parameter_bytes) or '0 B'}"),
            ("Multiply-adds", f"{self.multiply_adds:,}"),
            ("Saved", f"{_size(self.saved) or '0 B'} for the backward pass"),
        ]

    def __str__(self) -> str:
        table = self._table()
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(
                [cell.ljust(width) for cell, width in zip(cells[:3], widths[:3], strict=True)]
                + [cell.rjust(width) for cell, width in zip(cells[3:], widths[3:], strict=True)]
            ).rstrip()
            for cells in table
        ]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        totals = [f"{name:<15}{words}" for name, words in self._totals()]
        return "\n".join([lines[0], rule, *lines[1:], rule, *totals])

    def _repr_html_(self) -> str:
        import html

        rows = [
            "".join(f"<td align={'left' if k < 3 else 'right'}>{html.escape(cell)}</td>"
                    for k, cell in enumerate(cells))
            for cells in self._table()
        ]  # fmt: skip
        totals = "<br>".join(f"<b>{name}</b> {html.escape(w)}" for name, w in self._totals())
        return f"<table><tr>{'<tr>'.join(rows)}</table><p>{totals}</p>"

    __repr__ = __str__


def _text(shape: Any) -> str:
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{k}: {_text(v)}" for k, v in shape.items()) + "}"
    if isinstance(shape, list):
        return ", ".join(map(_text, shape))
    return "" if shape is None else str(tuple(shape))


def _size(n: int) -> str:
    """A number of bytes, in the unit that leaves at most four digits; "" for 0."""
    if n < 1024:
        return f"{n} B" if n else ""
    power = min((n.bit_length() - 1) // 10, 4)
    return f"{n / 1024**power:.1f} {'KMGT'[power - 1]}iB"


# --- The run --------------------------------------------------------------------------------------


class _Watch(Observer):
    """Records which module runs at which node, and the multiply-adds of its ops."""

    def __init__(self, rows: dict[Module, Row], model: Module):
        self.rows, self.thread = rows, threading.get_ident()
        self.stack = [rows[model]]
        self.since = [0]  # since the node with this number ...
        self.working = [rows[model]]  # ... this module was running

    def _switch(self) -> None:
        self.since.append(engine.next_number())
        self.working.append(self.stack[-1])

    def begins(self, module: Module, args: Any) -> None:
        self.stack.append(self.rows[module])
        self._switch()

    def ends(self, module: Module, args: Any, output: Any) -> None:
        row = self.stack.pop()
        row.calls += 1
        row.output_shape = _shapes(output)
        self._switch()

    def op_ran(self, op: Any, inputs: tuple[Any, ...], output: Any, node: Any) -> None:
        count = MULTIPLY_ADDS.get(op.name)
        if count is not None and threading.get_ident() == self.thread:
            shapes = [np.shape(getattr(x, "_array", x)) for x in inputs]
            self.stack[-1].multiply_adds += count(
                shapes, output._array.shape, {} if node is None else node.attributes
            )

    def row_of(self, node: Any) -> Row:
        """The row of the module that was running when the node was made."""
        return self.working[bisect_right(self.since, node.number) - 1]


def summary(model: Module, input: Any) -> Summary:
    """A table of the modules of `model` in a run on `input`.

    `input` is a Tensor or an array; or a tuple of sizes like (1, 3, 32, 32), for random numbers of
    that shape; or a tuple or list of several of these. The model runs once, in its current mode: call
    `model.train()` or `eval()` before. Its mode, buffers, gradients and hooks stay unchanged, and so
    does the default random generator. Raises TypeError for another model or input; errors of the
    model pass through.

    >>> from tinygrad_cnn import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> nn.summary(model, (1, 1, 8, 8))
       Layer              Output shape  Parameters  Multiply-adds  Saved
    ────────────────────────────────────────────────────────────────────
       Sequential         (1, 4)
    0  Conv2d             (1, 4, 6, 6)          40          1,296  256 B
    1  ReLU               (1, 4, 6, 6)                             576 B
    2  AdaptiveAvgPool2d  (1, 4, 1, 1)
    3  Flatten            (1, 4)
    ────────────────────────────────────────────────────────────────────
    Input          (1, 1, 8, 8)
    Parameters     40, 160 B
    Multiply-adds  1,296
    Saved          832 B for the backward pass
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: wanted a Module, got {type(model).__name__}")
    inputs = _inputs(model, input)
    rows, found, parameters = {}, Summary(tuple(tuple(x.shape) for x in inputs)), set()
    for name, module in model.named_modules():
        row = rows[module] = Row(name, type(module).__name__)
        for p in module.parameters(recurse=False):
            if p not in parameters:
                parameters.add(p)
                row.parameters += p.numel()
                row.trainable += p.numel() * p.requires_grad
                found.parameter_bytes += p._array.nbytes
    found.rows = list(rows.values())
    watch, handles = _Watch(rows, model), []
    buffers = [(m, dict(m._buffers)) for m in rows]
    copies: dict[int, Tensor] = {}
    hooks = [(m, vars(m).get("_hooks")) for m in rows]
    state = random.get_rng_state()
    try:
        _copy_buffers(buffers, copies)
        for module in rows:
            handles += [
                module.register_forward_pre_hook(watch.begins, prepend=True),
                module.register_forward_hook(watch.ends),
            ]
        with enable_grad(), observe(watch):
            output = model(*inputs)
    finally:
        random.set_rng_state(state)
        for handle in handles:
            handle.remove()
        for module, before in hooks:
            if before is None:
                vars(module).pop("_hooks", None)
        for module, own in buffers:
            module._buffers.clear()
            module._buffers.update(own)
    known = {id(engine.owner(t._array)) for t in (*parameters, *copies.values())}
    for node in _nodes(output):
        for array in _arrays((node.saved, node.static)):
            storage = engine.owner(array)
            if id(storage) not in known:
                known.add(id(storage))
                watch.row_of(node).saved += storage.nbytes
    return found


def _copy_buffers(buffers: list[Any], copies: dict[int, Tensor]) -> None:
    """Replace the buffers of modules by copies, which `copies` has by the identity of the buffer."""
    for module, own in buffers:
        for name, buffer in own.items():
            if buffer is not None:
                module._buffers[name] = copies.setdefault(id(buffer), functions.clone(buffer))


def _inputs(model: Module, given: Any) -> list[Tensor]:
    if isinstance(given, Tensor):
        return [given]
    if isinstance(given, np.ndarray):
        return [from_numpy(given)]
    if not isinstance(given, (tuple, list)):
        raise TypeError(
            f"summary: wanted a Tensor, sizes, or a tuple of them, got {type(given).__name__}"
        )
    if all(isinstance(n, int) for n in given):
        types = (p.dtype for p in model.parameters() if p.is_floating_point())
        values = np.random.default_rng(0).standard_normal(given)
        return [from_numpy(np.asarray(values, next(types, get_default_dtype())))]
    return [x for part in given for x in _inputs(model, part)]


def _shapes(output: Any) -> Any:
    """The shapes of the Tensors in an output, nested like it."""
    if isinstance(output, Recorded):
        return tuple(output._array.shape)
    if isinstance(output, dict):
        return {key: _shapes(value) for key, value in output.items()}
    return [_shapes(x) for x in output] if isinstance(output, (tuple, list)) else None


def _tensors(output: Any) -> Iterator[Any]:
    if isinstance(output, Recorded):
        yield output
    elif isinstance(output, (dict, tuple, list)):
        for part in output.values() if isinstance(output, dict) else output:
            yield from _tensors(part)


def _nodes(output: Any) -> list[Any]:
    """The nodes of the graph of the output, in the order of creation."""
    seen: set[Any] = set()
    stack = [tensor._node for tensor in _tensors(output)]
    while stack:
        node = stack.pop()
        if node is not None and node not in seen:
            seen.add(node)
            if node.op is not None:
                stack.extend(node.parents)
    return sorted((node for node in seen if node.op is not None), key=lambda node: node.number)


def _arrays(held: Any) -> Iterator[np.ndarray]:
    """The arrays in the saved values of a node."""
    if isinstance(held, np.ndarray):
        yield held
    elif isinstance(held, (tuple, list)):
        for part in held:
            yield from _arrays(part)
