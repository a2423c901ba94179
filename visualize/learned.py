"""Figures of a trained convolutional network: its filters, and its activations layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import tinygrad_cnn
from tinygrad_cnn import Tensor, engine, nn

from .palette import INK, MUTED, NEGATIVE, POSITIVE
from .plots import Float64, bare, figure, numbers, signed
from .record import array_of
from .watch import Watch, same_buffers, watched

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_ROWS, MAX_COLUMNS = 16, 8  # filters and their channels drawn, where a filter is no single image
# Ops that only move or drop elements: their output shows nothing new.
_MOVES_ONLY = {"reshape", "flatten", "dropout", "permute", "transpose", "unsqueeze", "squeeze"}


def filters(conv: nn.Module | Tensor | np.ndarray, *, most: int = 64) -> Figure:
    """The filters of a convolution as a matplotlib figure.

    Args:
        conv: a Conv2d, or its weight (F, C, I, J).
        most: the figure has at most so many filters, the first ones.

    A filter of three channels is a colour image, scaled to its own range. A filter of one channel
    is a signed image, orange above 0 and blue below, on one scale for all filters. Filters of
    another number of channels are rows of signed images: the first 8 channels of the first 16
    filters.

    Raises TypeError for an argument without a weight, ValueError for a weight that is not that of a
    2-D convolution, ImportError without matplotlib.

    >>> from tinygrad_cnn import nn
    >>> len(filters(nn.Conv2d(1, 6, 5)).axes)
    6
    """
    weight = getattr(conv, "weight", conv)
    if not isinstance(weight, (Tensor, np.ndarray)):
        raise TypeError(f"filters: expected a Conv2d or its weight, got {type(conv).__name__}")
    w = numbers(weight)[:most]
    if w.ndim != 4 or not w.size:
        raise ValueError(
            f"filters: wanted a weight of shape (F, C, I, J), got {tuple(weight.shape)}"
        )
    n, c = w.shape[:2]
    limit = float(np.abs(w).max()) or 1.0
    if c in (1, 3):
        across = int(np.ceil(np.sqrt(n)))
        made = figure(0.62 * across, 0.62 * -(-n // across))
        for k in range(n):
            ax = made.add_subplot(-(-n // across), across, k + 1)
            if c == 1:
                signed(ax, w[k, 0], limit)
            else:
                low, high = w[k].min(), w[k].max()
                bare(ax).imshow((w[k].transpose(1, 2, 0) - low) / ((high - low) or 1.0))
        return made
    n, c = min(n, MAX_ROWS), min(c, MAX_COLUMNS)
    made = figure(0.55 * c + 0.4, 0.55 * n)
    for k in range(n):
        for j in range(c):
            ax = signed(made.add_subplot(n, c, k * c + j + 1), w[k, j], limit)
            if j == 0:
                ax.set_ylabel(str(k), rotation=0, ha="right", va="center", color=MUTED, fontsize=8)
            if k == 0:
                ax.set_title(str(j), color=MUTED, fontsize=8)
    return made


class _Outputs(engine.Observer):
    """Keeps the output of each op for one example, with the module that runs it."""

    def __init__(self, watch: Watch, example: int) -> None:
        self.watch, self.example = watch, example
        self.found: list[tuple[str, Float64]] = []

    def op_ran(
        self, op: engine.Operation, inputs: tuple[object, ...], output: Tensor,
        node: engine.Node | None,
    ) -> None:  # fmt: skip
        """Keep a copy, since an in-place op may overwrite the output."""
        array = array_of(output)
        if op.name in _MOVES_ONLY or array.ndim not in (2, 4) or array.dtype.kind != "f":
            return
        path = self.watch.stack[-1][0] if self.watch.stack else ""
        self.found.append((f"{path} {op.name}".strip(), array[self.example].astype(np.float64)))


def activations(
    model: nn.Module, x: Tensor | np.ndarray, *, example: int = 0, maps: int = 8
) -> Figure:
    """The output of each op for one example, one row for each op, as a matplotlib figure.

    Args:
        model: a Module. It runs once, without recording, and its buffers stay unchanged.
        x: its input, a batch (N, …).
        example: the index in the batch.
        maps: at most so many feature maps in a row, those with the largest variance.

    Feature maps (C, H, W) are signed images, vectors (F,) are bars. Other outputs are omitted.

    Raises TypeError for a model that is not a Module, IndexError for an example outside the batch,
    ImportError without matplotlib.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    >>> made = activations(model, tc.ones(1, 1, 4, 4))
    >>> [ax.get_ylabel() for ax in made.axes if ax.get_ylabel()]
    ['x', '0 conv2d', '1 relu', '3 linear']
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"activations: expected a Module, got {type(model).__name__}")
    batch = x if isinstance(x, Tensor) else tinygrad_cnn.tensor(x)
    if not -len(batch) <= example < len(batch):
        raise IndexError(f"activations: example {example} is not in a batch of {len(batch)}")
    with same_buffers(model), tinygrad_cnn.no_grad(), watched(model) as watch:
        outputs = _Outputs(watch, example)
        with engine.observe(outputs):
            model(batch)
    found = [("x", numbers(batch)[example]), *outputs.found]
    found = [(name, values) for name, values in found if values.size]
    made = figure(0.9 * maps + 1.2, 0.95 * len(found))
    grid = made.add_gridspec(len(found), maps)
    for row, (name, values) in enumerate(found):
        if values.ndim == 3:
            order = np.argsort(-values.var(axis=(1, 2)), kind="stable")[:maps]
            limit = float(np.abs(values).max()) or 1.0
            for k, channel in enumerate(sorted(order)):
                ax = signed(made.add_subplot(grid[row, k]), values[channel], limit)
                ax.set_title(str(channel), color=MUTED, fontsize=7, pad=2)
                if k == 0:
                    _label(ax, name)
        else:
            ax = bare(made.add_subplot(grid[row, :]))
            flat = values.ravel()
            ax.bar(np.arange(flat.size), flat, width=0.9 if flat.size < 60 else 1.0,
                   color=[POSITIVE if v > 0 else NEGATIVE for v in flat])  # fmt: skip
            ax.axhline(0, color=MUTED, linewidth=0.6)
            ax.margins(x=0.01)
            _label(ax, name)
    return made


def _label(ax: Axes, name: str) -> None:
    ax.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, fontsize=9)
