"""Helpers for the figures of `filters`, `activations`, `History` and `Film`, made by matplotlib.

matplotlib is an extra and is imported when a figure is made. The figures do not go through pyplot:
a figure is freed when its last reference is, and a notebook shows it without `%matplotlib inline`.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_cnn import Tensor

from .palette import NEGATIVE, POSITIVE, ZERO
from .record import array_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

Float64 = np.ndarray[Any, np.dtype[np.float64]]

RULE = "#dfe4ea"  # of frames and grid lines
NOTEBOOK_DPI = 96


def figure(width: float, height: float) -> Figure:
    """An empty figure of `width` by `height` inches.

    Raises ImportError if matplotlib is not installed; the message names the extra.
    """
    try:
        kind = _figure_class()
    except ImportError as error:
        raise ImportError(
            "this figure needs matplotlib: pip install 'tinygrad_cnn[examples]'"
        ) from error
    made: Figure = kind(figsize=(width, height), layout="constrained")
    return made


@functools.cache
def _figure_class() -> Any:
    """A class of figures with a canvas, which notebooks show as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            FigureCanvasAgg(self)

        def _repr_png_(self) -> bytes:
            return png_of(self)

    return NotebookFigure


def png_of(made: Figure) -> bytes:
    """A figure as the bytes of a PNG file."""
    file = io.BytesIO()
    made.savefig(file, format="png", dpi=NOTEBOOK_DPI)
    return file.getvalue()


def diverging() -> Colormap:
    """The colour map of signed numbers: blue below 0, light grey at 0, orange above."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [NEGATIVE, ZERO, POSITIVE])


def bare(ax: Axes) -> Axes:
    """The axes without ticks, and with a light frame."""
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_color(RULE)
    return ax


def signed(ax: Axes, values: np.ndarray, limit: float | None = None) -> Axes:
    """Draw a plane (H, W) of signed numbers on the axes.

    `limit` is the magnitude of the full colour, by default the largest in `values`.
    """
    limit = limit or float(np.abs(values).max(initial=0.0)) or 1.0
    bare(ax).imshow(values, cmap=diverging(), vmin=-limit, vmax=limit, interpolation="nearest")
    return ax


def numbers(value: Tensor | np.ndarray) -> Float64:
    """The elements of a Tensor or an array as a float64 array of the same shape.

    >>> import tinygrad_cnn as tc
    >>> numbers(tc.ones(2, requires_grad=True))
    array([1., 1.])
    """
    array = array_of(value) if isinstance(value, Tensor) else np.asarray(value)
    return array.astype(np.float64)


def number(value: object) -> float:
    """A number, or the only element of a Tensor or an array, as a float.

    Raises TypeError for anything else.

    >>> import tinygrad_cnn as tc
    >>> number(tc.tensor([0.5])), number(2)
    (0.5, 2.0)
    """
    try:
        return float(value.item() if hasattr(value, "item") else value)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"expected a number, got {type(value).__name__}") from None
