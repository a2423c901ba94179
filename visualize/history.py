"""`History`: numbers noted while a model trains, as curves in a matplotlib figure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import cycle
from typing import TYPE_CHECKING, SupportsFloat, cast

import numpy as np

from tinygrad_cnn import Tensor, nn

from .palette import INK, MUTED, NEGATIVE, POSITIVE
from .plots import RULE, Float64, figure, number, numbers, png_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (NEGATIVE, POSITIVE, "#0f8f7c", "#8b5cf6", "#b4375e", "#64748b")
MIN_POINTS_TO_SMOOTH = 60  # a shorter curve is readable as it is
BAD = "#b91c1c"  # of the first value that is not finite
LOGARITHMIC = re.compile("(norm|ratio)$")  # names of curves
MAX_LOG_TICKS = 8
SMOOTHING_SHARE = 0.03  # of the values that a point of a smooth curve averages over


class History:
    """Numbers by step: losses, accuracies, norms of gradients and weights, or any others.

    `values` maps each name to its (step, value) pairs; `count` is the number of steps noted.
    `ratios` maps the name of each parameter to (step, ratio) pairs: the 2-norm of its last update
    divided by that of the parameter before.

    >>> from tinygrad_cnn import nn
    >>> history = History()
    >>> model = nn.Linear(2, 1)
    >>> for loss in (0.9, 0.5, 0.3):
    ...     history.step(loss=loss, accuracy=1 - loss, model=model)
    >>> sorted(history.values), history.values["loss"]
    (['accuracy', 'loss', 'update ratio', 'weight norm'], [(0, 0.9), (1, 0.5), (2, 0.3)])
    >>> [ax.get_ylabel() for ax in history.plot("loss", "accuracy").axes]
    ['loss', 'accuracy']
    """

    def __init__(self) -> None:
        self.values: dict[str, list[tuple[int, float]]] = {}
        self.ratios: dict[str, list[tuple[int, float]]] = {}
        self.count = 0
        self._before: dict[str, Float64] = {}  # the parameters at the last step

    def __repr__(self) -> str:
        return f"<History: {self.count} steps of {', '.join(self.values) or 'nothing'}>"

    def _repr_png_(self) -> bytes | None:
        return png_of(self.plot()) if self.values else None

    def step(
        self, *, model: nn.Module | None = None, **values: Tensor | SupportsFloat | None
    ) -> None:
        """Note the numbers of one step.

        Args:
            model: also note the 2-norm of all its parameters ("weight norm"), of their gradients
                ("gradient norm", if there are any) and of the last update, divided by that of the
                parameters ("update ratio", from the second step on). Call `step` between `backward`
                and the optimizer's step then.
            values: numbers, or Tensors of one element, by name; None is skipped.

        Raises TypeError for anything else.

        >>> history = History()
        >>> history.step(loss=0.5, accuracy=None)
        >>> history.values
        {'loss': [(0, 0.5)]}
        """
        found: dict[str, float] = {}
        for name, value in values.items():
            if value is not None:
                try:
                    found[name] = number(value)
                except TypeError as error:
                    raise TypeError(f"History.step: {name}: {error}") from None
        if model is not None:
            parameters = list(model.parameters())
            gradients = [p.grad for p in parameters if p.grad is not None]
            if gradients:
                found["gradient norm"] = norm(gradients)
            found["weight norm"] = norm(parameters)
            found |= self._updates(model)
        for name, known in found.items():
            self.values.setdefault(name, []).append((self.count, known))
        self.count += 1

    def _updates(self, model: nn.Module) -> dict[str, float]:
        """Note the ratio of each parameter since the last step; returns that of all together."""
        now = {name: numbers(p) for name, p in model.named_parameters()}
        before, self._before = self._before, {name: w.copy() for name, w in now.items()}
        known = [
            name for name, w in now.items() if name in before and before[name].shape == w.shape
        ]
        updates = {name: now[name] - before[name] for name in known}
        for name in known:
            size = norm([before[name]])
            ratio = norm([updates[name]]) / size if size else math.nan
            self.ratios.setdefault(name, []).append((self.count, ratio))
        whole = norm(before[name] for name in known)
        return {"update ratio": norm(updates.values()) / whole} if whole else {}

    def plot(self, *names: str, ax: Axes | None = None) -> Figure:
        """The curves as a matplotlib figure, each in its own panel.

        Args:
            names: the curves to draw; all by default.
            ax: axes to draw all curves on; the result is then the figure of these axes.

        A long and noisy curve is drawn pale, with its running mean. The scale of norms and ratios
        is logarithmic where they span more than a factor of ten. Where a value is NaN or infinite
        the line is broken, and the first such step is marked.

        Raises KeyError for a name that was not noted, ValueError if nothing was noted, ImportError
        without matplotlib.
        """
        chosen = list(names) or list(self.values)
        for name in chosen:
            if name not in self.values:
                raise KeyError(f"{name!r} was not noted; there are {', '.join(self.values)}")
        if not chosen:
            raise ValueError("nothing was noted: call step() while training")
        curves = list(zip(chosen, cycle(COLOURS), strict=False))
        if ax is not None:
            for name, colour in curves:
                self._curve(ax, name, colour)
            if len(chosen) > 1:
                ax.legend(frameon=False)
            else:
                ax.set_ylabel(chosen[0])
            return cast("Figure", ax.figure)
        across = min(2, len(chosen))
        down = -(-len(chosen) // across)
        made = figure(4.2 * across, 2.5 * down)
        for k, (name, colour) in enumerate(curves):
            panel = made.add_subplot(down, across, k + 1)
            self._curve(panel, name, colour)
            panel.set_ylabel(name, color=INK)
            panel.set_xlabel("step", color=MUTED)
            for side in ("top", "right"):
                panel.spines[side].set_visible(False)
            for side in ("left", "bottom"):
                panel.spines[side].set_color(RULE)
            panel.tick_params(colors=MUTED, labelsize=8)
            panel.grid(axis="y", color=RULE, linewidth=0.6)
            panel.set_axisbelow(True)
        return made

    def _curve(self, ax: Axes, name: str, colour: str) -> None:
        steps, values = np.array(self.values[name]).T
        known = np.where(np.isfinite(values), values, np.nan)  # an infinite value has no place
        noisy = len(values) > MIN_POINTS_TO_SMOOTH and _noisy(values)
        ax.plot(steps, known, color=colour, linewidth=1.0 if noisy else 1.8,
                alpha=0.35 if noisy else 1.0, label=None if noisy else name)  # fmt: skip
        if noisy:
            ax.plot(steps, smooth(values), color=colour, linewidth=1.8, label=name)
        finite = known[~np.isnan(known)]
        if finite.size < values.size:
            first = int(np.argmin(np.isfinite(values)))
            ax.axvline(steps[first], color=BAD, linewidth=1.0, linestyle=":")
            ax.annotate(
                f"{values[first]:g} at step {steps[first]:g}", (steps[first], 1.0), color=BAD,
                xycoords=("data", "axes fraction"), xytext=(3, -3), textcoords="offset points",
                va="top", fontsize=8,
            )  # fmt: skip
        if LOGARITHMIC.search(name) and finite.size and finite.max() > 10 * finite.min() > 0:
            _logarithmic(ax, float(np.log10(finite.max() / finite.min())))


def _logarithmic(ax: Axes, decades: float) -> None:
    """A logarithmic y axis with few ticks, written as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_yscale("log")
    steps = (1.0, 2.0, 5.0) if decades < 1.5 else (1.0, 3.0) if decades < 3 else (1.0,)
    ax.yaxis.set_major_locator(LogLocator(subs=steps, numticks=MAX_LOG_TICKS))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _noisy(values: Float64) -> bool:
    """Whether the steps of a curve add up to more than three times its range."""
    known = values[np.isfinite(values)]
    return bool(np.abs(np.diff(known)).sum() > 3 * np.ptp(known)) if known.size else False


def smooth(values: Float64, share: float = SMOOTHING_SHARE) -> Float64:
    """The running mean (N,) of values (N,) with exponential weights, over a share of their number.

    The weights are normalised, so there is no lag at the start. NaN and infinity do not count, and
    the mean is NaN there: its line is broken.

    >>> smooth(np.array([1.0, 1.0, 1.0])).tolist()
    [1.0, 1.0, 1.0]
    """
    keep = 1 - 1 / max(2.0, share * len(values))
    total, weight, found = 0.0, 0.0, []
    for value in values:
        if math.isfinite(value):
            total, weight = keep * total + value, keep * weight + 1
        found.append(total / weight if math.isfinite(value) else math.nan)
    return np.array(found)


def norm(tensors: Iterable[Tensor | np.ndarray]) -> float:
    """The 2-norm of all elements of some tensors together.

    >>> norm([np.array([3.0]), np.array([[4.0]])])
    5.0
    """
    return math.sqrt(sum(float(np.square(numbers(t)).sum()) for t in tensors))
