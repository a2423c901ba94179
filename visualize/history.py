"""`History`: what happened while a model was trained, as a matplotlib figure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .plots import BLUE, INK, MUTED, ORANGE, RULE, figure, numbers

_COLOURS = (BLUE, ORANGE, "#0f8f7c", "#8b5cf6", "#b4375e", "#64748b")


class History:
    """Numbers by step: losses, accuracies, norms of gradients and weights, or any others.

    >>> from tinygrad_cnn import nn
    >>> history = History()
    >>> model = nn.Linear(2, 1)
    >>> for loss in (0.9, 0.5, 0.3):
    ...     history.step(loss=loss, accuracy=1 - loss, model=model)
    >>> sorted(history.values), history.values["loss"]
    (['accuracy', 'loss', 'weight norm'], [(0, 0.9), (1, 0.5), (2, 0.3)])
    >>> [ax.get_ylabel() for ax in history.plot().axes]
    ['loss', 'accuracy', 'weight norm']
    """

    def __init__(self) -> None:
        self.values: dict[str, list[tuple[int, float]]] = {}
        self.count = 0

    def step(self, *, model: Any = None, **values: Any) -> None:
        """Note the numbers of one step; Tensors of one element are numbers too.

        With `model` the 2-norms of all its gradients ("gradient norm", where there are any) and of
        all its parameters ("weight norm") are noted too: call it between `backward` and `step`.
        Raises TypeError for what is no number.
        """
        found = {name: _number(name, value) for name, value in values.items() if value is not None}
        if model is not None:
            parameters = list(model.parameters())
            gradients = [p.grad for p in parameters if p.grad is not None]
            if gradients:
                found["gradient norm"] = norm(gradients)
            found["weight norm"] = norm(parameters)
        for name, value in found.items():
            self.values.setdefault(name, []).append((self.count, value))
        self.count += 1

    def plot(self, *names: str, ax: Any = None) -> Any:
        """The curves as a matplotlib figure, a panel for each; norms on a logarithmic scale
        where they span more than a factor of ten.

        `names` chooses some. With `ax` all are drawn on those axes, and their figure is returned.
        Raises KeyError for a name that is not there, ValueError where nothing was noted.
        """
        chosen = names or tuple(self.values)
        for name in chosen:
            if name not in self.values:
                raise KeyError(f"{name!r} was not noted; there are {', '.join(self.values)}")
        if not chosen:
            raise ValueError("nothing was noted: call step() while training")
        if ax is not None:
            for name, colour in zip(chosen, _cycle(), strict=False):
                self._curve(ax, name, colour)
            if len(chosen) > 1:
                ax.legend(frameon=False)
            else:
                ax.set_ylabel(chosen[0])
            return ax.figure
        across = min(2, len(chosen))
        down = -(-len(chosen) // across)
        made = figure(4.2 * across, 2.5 * down)
        for k, (name, colour) in enumerate(zip(chosen, _cycle(), strict=False)):
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

    def _curve(self, ax: Any, name: str, colour: str) -> None:
        steps, values = np.array(self.values[name]).T
        noisy = len(values) > 60 and _noisy(values)
        ax.plot(steps, values, color=colour, linewidth=1.0 if noisy else 1.8,
                alpha=0.35 if noisy else 1.0, label=None if noisy else name)  # fmt: skip
        if noisy:
            ax.plot(steps, smooth(values), color=colour, linewidth=1.8, label=name)
        known = values[np.isfinite(values)]
        if name.endswith("norm") and known.size and known.max() > 10 * known.min() > 0:
            ax.set_yscale("log")


def _noisy(values: np.ndarray) -> bool:
    """Whether a curve goes up and down more than it goes anywhere."""
    known = values[np.isfinite(values)]
    return bool(np.abs(np.diff(known)).sum() > 3 * np.ptp(known)) if known.size else False


def _cycle() -> Iterable[str]:
    while True:
        yield from _COLOURS


def smooth(values: np.ndarray, width: float = 0.03) -> np.ndarray:
    """A running mean over some 3 % of the values, as exponential weights, with no lag at the start.

    >>> smooth(np.array([1.0, 1.0, 1.0])).tolist()
    [1.0, 1.0, 1.0]
    """
    keep = 1 - 1 / max(2.0, width * len(values))
    total, weight, found = 0.0, 0.0, []
    for value in values:
        if math.isfinite(value):
            total, weight = keep * total + value, keep * weight + 1
        found.append(total / weight if weight else math.nan)
    return np.array(found)


def norm(tensors: Iterable[Any]) -> float:
    """The 2-norm of all numbers in some tensors.

    >>> norm([np.array([3.0]), np.array([[4.0]])])
    5.0
    """
    return math.sqrt(sum(float(np.square(numbers(t)).sum()) for t in tensors))


def _number(name: str, value: Any) -> float:
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"History.step: {name} is no number: {type(value).__name__}") from None
