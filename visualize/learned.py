"""Figures of a trained convolutional network: its filters, and its activations layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
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
        conv: a Conv2d or Conv1d, or its weight (F, C, I, J) or (F, C, I).
        most: the figure has at most so many filters, the first ones.

    A filter of three channels is a colour image, in which grey is 0. A filter of one channel is a
    signed image, orange above 0 and blue below. Filters of another number of channels are rows of
    signed images: the first 8 channels of the first 16 filters. A filter of a Conv1d is one image
    (C, I). All filters have one scale, which the title gives.

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
    if w.ndim == 3:
        w = w[:, None]
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
                bare(ax).imshow(np.clip(w[k].transpose(1, 2, 0) / limit, -1, 1) / 2 + 0.5)
        _scale(made, limit)
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
    _scale(made, limit)
    return made


def _scale(made: Figure, limit: float) -> None:
    """Give a figure a title with the scale of its images."""
    made.suptitle(f"full colour: ±{limit:.3g}", color=MUTED, fontsize=9)


class _Outputs(engine.Observer):
    """Keeps the output of each op for one example of a batch, with the module that runs it."""

    def __init__(self, watch: Watch, example: int, batch: int) -> None:
        self.watch, self.example, self.batch = watch, example, batch
        self.found: list[tuple[str, Float64]] = []

    def op_ran(
        self, op: engine.Operation, inputs: tuple[object, ...], output: Tensor,
        node: engine.Node | None,
    ) -> None:  # fmt: skip
        """Keep a copy, since an in-place op may overwrite the output."""
        array = array_of(output)
        batched = array.ndim > 0 and len(array) == self.batch
        if op.name in _MOVES_ONLY or not batched or array.dtype.kind != "f":
            return
        path = self.watch.stack[-1][0] if self.watch.stack else ""
        self.found.append((f"{path} {op.name}".strip(), array[self.example].astype(np.float64)))


def activations(
    model: nn.Module,
    x: Tensor | np.ndarray,
    *,
    example: int = 0,
    maps: int = 8,
    classes: Sequence[str] | None = None,
) -> Figure:
    """The output of each op for one example, one row for each op, as a matplotlib figure.

    Args:
        model: a Module. It runs once, without recording, and its buffers stay unchanged.
        x: its input, a batch (N, …).
        example: the index in the batch.
        maps: at most so many planes in a row, those with the largest variance.
        classes: names of the elements of the last output.

    The last two axes of an output are planes: feature maps (C, H, W) are signed images, each with
    its number, also of more axes; a sequence (T, F) is one image. A vector is bars. The label of a
    row gives the magnitude of the full colour, or of the longest bar. Outputs whose first axis is
    not the batch are left out.

    Raises TypeError for a model that is not a Module, IndexError for an example outside the batch,
    ValueError for another number of classes than the last output has, ImportError without
    matplotlib.

    >>> import tinygrad_cnn as tc
    >>> from tinygrad_cnn import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    >>> made = activations(model, tc.ones(1, 1, 4, 4))
    >>> [ax.get_ylabel().splitlines()[0] for ax in made.axes if ax.get_ylabel()]
    ['x', '0 conv2d', '1 relu', '3 linear']
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"activations: expected a Module, got {type(model).__name__}")
    batch = x if isinstance(x, Tensor) else tinygrad_cnn.tensor(x)
    if not -len(batch) <= example < len(batch):
        raise IndexError(f"activations: example {example} is not in a batch of {len(batch)}")
    with same_buffers(model), tinygrad_cnn.no_grad(), watched(model) as watch:
        outputs = _Outputs(watch, example, len(batch))
        with engine.observe(outputs):
            model(batch)
    found = [("x", numbers(batch)[example]), *outputs.found]
    found = [(name, values) for name, values in found if values.size]
    if classes is not None and len(classes) != found[-1][1].size:
        raise ValueError(
            f"activations: {len(classes)} classes for an output of shape {found[-1][1].shape}"
        )
    made = figure(0.9 * maps + 1.6, 0.95 * len(found) + (0.4 if classes else 0.0))
    grid = made.add_gridspec(len(found), maps)
    for row, (name, values) in enumerate(found):
        names = classes if row == len(found) - 1 else None
        limit = float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
        label = f"{name}\n±{limit:.3g}"
        if values.ndim < 2 or names is not None:
            _bars(_labelled(made.add_subplot(grid[row, :]), label), values.ravel(), names)
            continue
        planes = values.reshape(-1, *values.shape[-2:])
        if len(planes) == 1:
            ax = made.add_subplot(grid[row, :])
            signed(_labelled(ax, label), planes[0], limit)
            ax.set_aspect("auto" if planes[0].shape[1] > 3 * planes[0].shape[0] else "equal")
            continue
        order = np.argsort(-planes.var(axis=(1, 2)), kind="stable")[:maps]
        for k, at in enumerate(sorted(order)):
            ax = signed(made.add_subplot(grid[row, k]), planes[at], limit)
            ax.set_title(str(at), color=MUTED, fontsize=7, pad=2)
            if k == 0:
                _labelled(ax, label)
    return made


def _bars(ax: Axes, values: Float64, names: Sequence[str] | None) -> None:
    """A bar for each number, with the names below them; the largest is in bold."""
    bare(ax).bar(
        np.arange(values.size), np.nan_to_num(values), width=0.9 if values.size < 60 else 1.0,
        color=[POSITIVE if v > 0 else NEGATIVE for v in values],
    )  # fmt: skip
    ax.axhline(0, color=MUTED, linewidth=0.6)
    ax.margins(x=0.01)
    if names is not None:
        ax.set_xticks(np.arange(values.size), list(names), fontsize=8, color=INK)
        ax.tick_params(length=0)
        ax.get_xticklabels()[int(np.nanargmax(values))].set_fontweight("bold")


def _labelled(ax: Axes, name: str) -> Axes:
    ax.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, fontsize=9)
    return ax
