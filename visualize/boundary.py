"""The plane of a classification problem of two dimensions: where a model says which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import tinygrad_cnn
from tinygrad_cnn import Tensor, nn

from .palette import MUTED, NEGATIVE, POSITIVE
from .plots import RULE, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDE = 48  # points of the grid along an axis
MARGIN = 0.12  # around the points, of their range
CLASS_COLOURS = (NEGATIVE, POSITIVE, "#0f8f7c", "#8b5cf6", "#b4375e", "#64748b")
MARKERS = "os^Dvp"  # classes differ without colour too


class Boundary:
    """Keeps, for each frame, the class that a model gives each point of a grid.

    Args:
        model: maps (N, 2) to scores (N, K), or for two classes to one score (N,) or (N, 1), whose
            sign decides.
        points: (N, 2).
        labels: the class of each point, (N,); None draws all points alike.

    Raises ValueError for other shapes.

    >>> model = nn.Linear(2, 1)
    >>> plane = Boundary(model, np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1]))
    >>> plane.frame()
    >>> plane.frames[0].shape
    (48, 48)
    """

    def __init__(
        self, model: nn.Module, points: Tensor | np.ndarray, labels: Tensor | np.ndarray | None
    ) -> None:
        self.points = numbers(points)
        if self.points.ndim != 2 or self.points.shape[1] != 2 or not len(self.points):
            raise ValueError(f"Film: wanted points (N, 2), got {self.points.shape}")
        self.labels = np.zeros(len(self.points), int)
        if labels is not None:
            self.labels = numbers(labels).astype(int).ravel()
        if self.labels.shape != (len(self.points),):
            raise ValueError(f"Film: {len(self.points)} points, but {self.labels.size} labels")
        self.model = model
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        room = np.where(high > low, high - low, 1.0) * MARGIN
        self.low, self.high = low - room, high + room
        self.frames: list[np.ndarray[Any, np.dtype[np.uint8]]] = []  # row 0 is the lowest y

    def frame(self) -> None:
        """Keep the classes of the present model. Its mode stays as it was."""
        xs, ys = (np.linspace(a, b, SIDE) for a, b in zip(self.low, self.high, strict=True))
        grid = np.stack([np.tile(xs, SIDE), np.repeat(ys, SIDE)], axis=1)
        first = next(self.model.parameters())
        training = [module for module in self.model.modules() if module.training]
        self.model.eval()
        try:
            with tinygrad_cnn.no_grad():
                scores = numbers(self.model(tinygrad_cnn.tensor(grid, dtype=first.dtype)))
        finally:
            for module in training:
                module.training = True
        scores = scores.reshape(len(grid), -1)
        best = scores.argmax(axis=1) if scores.shape[1] > 1 else scores[:, 0] > 0
        self.frames.append(best.reshape(SIDE, SIDE).astype(np.uint8))

    def paint(self, ax: Axes, at: int) -> None:
        """Draw frame `at`: the regions pale, the line between them, and the points."""
        from matplotlib.colors import ListedColormap

        extent = (self.low[0], self.high[0], self.low[1], self.high[1])
        regions = self.frames[at]
        ax.imshow(
            regions, origin="lower", extent=extent, alpha=0.28, vmin=-0.5, vmax=5.5, aspect="auto",
            cmap=ListedColormap(list(CLASS_COLOURS)), interpolation="nearest",
        )  # fmt: skip
        for k in range(int(regions.min()), int(regions.max())):
            ax.contour(regions > k, levels=[0.5], extent=extent, colors=MUTED, linewidths=1.0)
        for k in np.unique(self.labels).tolist():
            x, y = self.points[self.labels == k].T
            ax.scatter(
                x, y, s=13, color=CLASS_COLOURS[k % 6], marker=MARKERS[k % 6], edgecolors="white",
                linewidths=0.4, label=f"class {k}",
            )  # fmt: skip
        ax.set_xticks([])
        ax.set_yticks([])
        for side in ax.spines.values():
            side.set_color(RULE)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, frameon=False, fontsize=7,
                  labelcolor=MUTED, handletextpad=0.1)  # fmt: skip

    def data(self) -> dict[str, Any]:
        """The frames for the page: a string of classes each, and the points in the unit square."""
        unit = (self.points - self.low) / (self.high - self.low)
        return {
            "side": SIDE,
            "frames": ["".join(map(str, np.minimum(f, 9).ravel().tolist())) for f in self.frames],
            "points": unit.round(4).tolist(),
            "labels": self.labels.tolist(),
        }
