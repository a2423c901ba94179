"""What a convolutional network learns, as figures: its filters, and its activations layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinygrad_cnn
from tinygrad_cnn import Tensor

from .plots import INK, MUTED, bare, figure, numbers, signed
from .trace import same_buffers, watched

CHANNELS = 8  # input channels of a filter that are shown
_QUIET = {"reshape", "flatten", "dropout", "permute", "transpose", "unsqueeze", "squeeze"}


def filters(conv: Any, *, most: int = 64) -> Any:
    """The filters of a convolution as a matplotlib figure.

    Args:
        conv: a Conv2d, or its weight (F, C, I, J).
        most: filters at most, the first ones.

    Filters of three channels stand as colours, each stretched to its own range; of one channel as
    signed images, orange above 0 and blue below, all on one scale; of more channels in rows, the
    first eight channels of each. Raises TypeError for what has no weight, ValueError for a weight
    that is not of a 2-D convolution, ImportError without matplotlib.

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
    n, c = min(n, 16), min(c, CHANNELS)
    made = figure(0.55 * c + 0.4, 0.55 * n)
    for k in range(n):
        for j in range(c):
            ax = signed(made.add_subplot(n, c, k * c + j + 1), w[k, j], limit)
            if j == 0:
                ax.set_ylabel(str(k), rotation=0, ha="right", va="center", color=MUTED, fontsize=8)
            if k == 0:
                ax.set_title(str(j), color=MUTED, fontsize=8)
    return made


class _Outputs:
    """An observer that keeps the output of each op for one example."""

    def __init__(self, watch: Any, example: int) -> None:
        self.watch, self.example = watch, example
        self.found: list[tuple[str, np.ndarray]] = []

    def op_begins(self, op: Any) -> None:
        """Nothing to note."""

    def op_ran(self, op: Any, inputs: Sequence[Any], output: Any, node: Any) -> None:
        """Keep a copy: an in-place op may write over it."""
        array = output.detach().numpy()
        if op.name in _QUIET or array.ndim not in (2, 4) or array.dtype.kind != "f":
            return
        path = self.watch.stack[-1][0] if self.watch.stack else ""
        self.found.append((f"{path} {op.name}".strip(), array[self.example].astype(np.float64)))


def activations(model: Any, x: Any, *, example: int = 0, maps: int = 8) -> Any:
    """What goes on inside for one example, a row for each op, as a matplotlib figure.

    Args:
        model: a Module; it is run once, without recording, and its buffers stay as they were.
        x: its input, a batch.
        example: which of the batch.
        maps: feature maps a row at most, those with the most to show (the largest variance).

    Raises TypeError for what is no Module, IndexError for an example that is not there, ImportError
    without matplotlib.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    >>> made = activations(model, tc.ones(1, 1, 4, 4))
    >>> [ax.get_ylabel() for ax in made.axes if ax.get_ylabel()]
    ['x', '0 conv2d', '1 relu', '3 linear']
    """
    from tinygrad_cnn.engine import observe

    if not isinstance(model, tinygrad_cnn.nn.Module):
        raise TypeError(f"activations: expected a Module, got {type(model).__name__}")
    x = x if isinstance(x, Tensor) else tinygrad_cnn.tensor(x)
    if not -len(x) <= example < len(x):
        raise IndexError(f"activations: example {example} is not in a batch of {len(x)}")
    with same_buffers(model), tinygrad_cnn.no_grad(), watched(model) as watch:
        outputs = _Outputs(watch, example)
        with observe(outputs):
            model(x)
    found = [("x", numbers(x)[example]), *outputs.found]
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
                   color=["#d66814" if v > 0 else "#2563b4" for v in flat])  # fmt: skip
            ax.axhline(0, color=MUTED, linewidth=0.6)
            ax.margins(x=0.01)
            _label(ax, name)
    return made


def _label(ax: Any, name: str) -> None:
    ax.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, fontsize=9)
