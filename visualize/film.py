"""`Film`: training as an animation, in which the lines between units are weights."""

from __future__ import annotations

import html
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, SupportsFloat

import numpy as np

from tinygrad_cnn import Tensor, nn

from .boundary import Boundary
from .page import as_json
from .palette import INK, MUTED, NEGATIVE, POSITIVE
from .plots import Float64, figure, number, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_UNITS = 16  # drawn of a layer; the lines of more units cover each other
FIGURE_INCHES = (5.2, 3.6)
BOUNDARY_INCHES = 3.4
GIF_DPI, GIF_COLOURS = 64, 24  # 15 frames take 170 kB


class Film:
    """Keeps the weights of a model's Linear layers, frame by frame, and draws them.

    The units of a layer form a column. The width of a line is the magnitude of its weight, the
    colour its sign: orange is positive, blue negative. Of a larger layer the first 16 units are
    drawn.

    Args:
        model: a Module with Linear layers.
        points, labels: a problem of two dimensions, (N, 2) and (N,). Then each frame also shows
            where the model says which class, beside the points.

    Attributes:
        layers: (path, module) of each Linear layer.
        sizes: how many units of each column are drawn; `whole` is how many there are.
        weights: for each frame, for each layer, its weights (F, C), at most (16, 16), float64.
        notes: the caption of each frame.
        boundary: the plane of a problem of two dimensions, or None.

    Raises ValueError for a model without Linear layers, and for points that are not (N, 2) or have
    another number of labels.

    >>> film = Film(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    >>> film.frame(loss=0.5)
    >>> film.sizes, len(film), [w.shape for w in film.weights[0]], film.notes
    ([2, 3, 1], 1, [(3, 2), (1, 3)], ['step 1, loss 0.5'])
    """

    def __init__(
        self,
        model: nn.Module,
        points: Tensor | np.ndarray | None = None,
        labels: Tensor | np.ndarray | None = None,
    ) -> None:
        self.layers: list[tuple[str, nn.Linear]] = [
            (path, module)
            for path, module in model.named_modules()
            if isinstance(module, nn.Linear)
        ]
        if not self.layers:
            raise ValueError(f"Film: {type(model).__name__} has no Linear layer to draw")
        shapes = [tuple(module.weight.shape) for _, module in self.layers]
        self.whole: list[int] = [shapes[0][1], *(shape[0] for shape in shapes)]
        self.sizes = [min(n, MAX_UNITS) for n in self.whole]
        self.weights: list[list[Float64]] = []
        self.notes: list[str] = []
        self.boundary = None if points is None else Boundary(model, points, labels)

    def __repr__(self) -> str:
        layers = "-".join(map(str, self.whole))
        return f"<Film: {len(self)} frames of {layers} units>"

    def _repr_html_(self) -> str | None:
        if not self.weights:
            return None
        inside = html.escape(self.html())
        return (
            f'<iframe srcdoc="{inside}" sandbox="allow-scripts" title="{html.escape(repr(self))}" '
            'style="width:100%;height:640px;border:0"></iframe>'
        )

    def __len__(self) -> int:
        return len(self.weights)

    def frame(self, **values: Tensor | SupportsFloat) -> None:
        """Keep the present weights as one frame. `values` (a loss) become its caption.

        Raises TypeError for a value that is neither a number nor a Tensor of one element.
        """
        facts = [f"{name} {number(value):.4g}" for name, value in values.items()]
        self.weights.append(
            [numbers(module.weight)[:MAX_UNITS, :MAX_UNITS].copy() for _, module in self.layers]
        )
        self.notes.append(", ".join([f"step {len(self.weights)}", *facts]))
        if self.boundary is not None:
            self.boundary.frame()

    def places(self) -> list[Float64]:
        """For each column, x and y of its units in the unit square: (units, 2).

        >>> Film(nn.Linear(1, 2)).places()[1].tolist()
        [[1.0, 0.25], [1.0, 0.75]]
        """
        columns = len(self.sizes)
        return [
            np.stack([np.full(n, k / (columns - 1)), (np.arange(n) + 0.5) / n], axis=1)
            for k, n in enumerate(self.sizes)
        ]

    def figure(self, at: int = -1) -> Figure:
        """Frame number `at`, by default the last, as a matplotlib figure.

        Raises IndexError if there is no such frame, ImportError without matplotlib.
        """
        if not -len(self) <= at < len(self):
            raise IndexError(f"frame {at} does not exist: the film has {len(self)} frames")
        made = self._empty()
        self._paint(made, at % len(self))
        return made

    def _empty(self) -> Figure:
        width, height = FIGURE_INCHES
        return figure(width + (BOUNDARY_INCHES if self.boundary else 0), height)

    def columns(self) -> list[str]:
        """The words below each column of units: "input", then the paths of the layers.

        >>> Film(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 20))).columns()
        ['input', 'layer 0', 'layer 2\\n16 of 20']
        """
        names = ["input"]
        for path, module in self.layers:
            names.append(f"layer {path}" if path.isdigit() else path or type(module).__name__)
        return [
            name if n == whole else f"{name}\n{n} of {whole}"
            for name, n, whole in zip(names, self.sizes, self.whole, strict=True)
        ]

    def _limits(self) -> list[float]:
        """The largest magnitude of each layer over all frames, so that widths stay comparable."""
        return [
            max(float(np.abs(frame[k]).max(initial=0.0)) for frame in self.weights) or 1.0
            for k in range(len(self.layers))
        ]

    def _paint(self, made: Figure, at: int) -> None:
        made.clear()
        if self.boundary is None:
            self._paint_network(made.add_subplot(), at)
            return
        network, plane = made.subplots(1, 2, width_ratios=[FIGURE_INCHES[0], BOUNDARY_INCHES])
        self._paint_network(network, at)
        self.boundary.paint(plane, at)

    def _paint_network(self, ax: Axes, at: int) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.lines import Line2D

        ax.set_axis_off()
        places, limits = self.places(), self._limits()
        for k, (weights, limit) in enumerate(zip(self.weights[at], limits, strict=True)):
            rows, columns = np.indices(weights.shape)
            ends = np.stack([places[k][columns.ravel()], places[k + 1][rows.ravel()]], axis=1)
            strength = (np.abs(weights) / limit).ravel()
            lines = LineCollection(
                list(ends),
                linewidths=list(0.2 + 3.2 * strength),
                colors=[POSITIVE if w > 0 else NEGATIVE for w in weights.ravel()],
                alpha=np.clip(0.12 + 0.8 * strength, 0, 1),
            )
            ax.add_collection(lines)
        for words, column in zip(self.columns(), places, strict=True):
            x, y = column.T
            ax.scatter(x, y, s=46, color="white", edgecolors=INK, linewidths=1.0, zorder=3)
            ax.text(column[0, 0], -0.03, words, ha="center", va="top", color=MUTED, fontsize=8)
        ax.set_xlim(-0.08, 1.08)
        ax.set_ylim(-0.16, 1.0)
        ax.legend(
            handles=[Line2D([], [], color=POSITIVE, linewidth=3.4, label=f"weight above 0 (widest ±{max(limits):.3g})"),
                     Line2D([], [], color=NEGATIVE, linewidth=3.4, label="below 0"),
                     Line2D([], [], color=MUTED, linewidth=0.4, label="thin: near 0")],
            loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, frameon=False, fontsize=7,
            labelcolor=MUTED,
        )  # fmt: skip
        ax.set_title(self.notes[at], color=MUTED, fontsize=10, loc="left")

    def save(self, path: str | os.PathLike[str], fps: int = 12) -> Path:
        """Write the film, and return the path. The suffix selects the format.

        Args:
            path: ends in .gif (drawn by matplotlib) or .html (a page that needs no library).
            fps: frames per second.

        Raises ValueError for another suffix and for a film without frames, ImportError for a .gif
        without matplotlib.
        """
        path = Path(path)
        if not self.weights:
            raise ValueError("the film has no frame: call frame() while training")
        if path.suffix.lower() == ".html":
            path.write_text(self.html(fps), encoding="utf-8")
        elif path.suffix.lower() == ".gif":
            self._save_gif(path, fps)
        else:
            raise ValueError(f"cannot save {str(path)!r}: the name must end in .gif or .html")
        return path

    def _save_gif(self, path: Path, fps: int) -> None:
        made = self._empty()
        made.set_dpi(GIF_DPI)
        self._paint(made, len(self) - 1)
        made.canvas.draw()
        made.set_layout_engine("none")  # the same layout in each frame
        from PIL import Image  # a dependency of matplotlib

        pictures = []
        for at in range(len(self)):
            self._paint(made, at)
            made.canvas.draw()
            pixels = np.asarray(made.canvas.buffer_rgba())  # type: ignore[attr-defined]
            picture = Image.fromarray(pixels).convert("RGB")
            pictures.append(picture.quantize(GIF_COLOURS, dither=Image.Dither.NONE))
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=1000 // fps,
                         loop=0, optimize=True)  # fmt: skip

    def html(self, fps: int = 12) -> str:
        """A page that plays the film at `fps` frames per second. It loads nothing.

        >>> film = Film(nn.Linear(2, 1))
        >>> film.frame()
        >>> film.html().startswith("<!doctype html>")
        True
        """
        data = {
            "places": [column.round(4).tolist() for column in self.places()],
            "limits": self._limits(),
            "frames": [[weights.round(4).tolist() for weights in frame] for frame in self.weights],
            "notes": self.notes,
            "columns": [words.split("\n") for words in self.columns()],
            "boundary": None if self.boundary is None else self.boundary.data(),
            "fps": fps,
        }
        text = (resources.files("visualize") / "web" / "film.html").read_text(encoding="utf-8")
        return text.replace("{{data}}", as_json(data))
