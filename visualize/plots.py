"""What the figures share: matplotlib, which is an extra, without its global state.

Figures are made by hand, not by pyplot: nothing is shown, and none is kept that is not held.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_cnn import Tensor

INK, MUTED, RULE = "#0f172a", "#5b6572", "#dfe4ea"
BLUE, ORANGE = "#2563b4", "#d66814"


def figure(width: float, height: float) -> Any:
    """An empty figure of so many inches.

    Raises ImportError, with what to do, where matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "this figure needs matplotlib: pip install 'tinygrad_cnn[examples]'"
        ) from error
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def diverging() -> Any:
    """The colours of positive and negative numbers: orange, blue, and light grey at 0."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [BLUE, "#e2e5e9", ORANGE])


def bare(ax: Any) -> Any:
    """Axes without ticks and with a quiet frame."""
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_color(RULE)
    return ax


def signed(ax: Any, values: np.ndarray, limit: float | None = None) -> Any:
    """An image of signed numbers on bare axes."""
    limit = limit or float(np.abs(values).max(initial=0.0)) or 1.0
    bare(ax).imshow(values, cmap=diverging(), vmin=-limit, vmax=limit, interpolation="nearest")
    return ax


def numbers(value: Any) -> np.ndarray:
    """A Tensor's array, or an array, as float64."""
    array = value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)
    return array.astype(np.float64)
