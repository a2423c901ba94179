"""`Film`: training as an animation. The weights are the lines of a small network, a frame a step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn import nn

from .page import as_json
from .plots import BLUE, INK, MUTED, ORANGE, figure, numbers

UNITS = 16  # of a layer at most, the first ones


class Film:
    """Keeps the weights of a model's Linear layers, frame by frame, and draws them.

    Each layer's units stand in a column; a line is as wide as its weight is large, orange above 0
    and blue below. Of larger layers the first 16 units are shown. Raises ValueError for a model
    without Linear layers.

    >>> import tinygrad_cnn as tc
    >>> film = Film(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)))
    >>> film.frame(loss=0.5)
    >>> film.sizes, len(film), [w.shape for w in film.weights[0]]
    ([2, 3, 1], 1, [(3, 2), (1, 3)])
    """

    def __init__(self, model: Any) -> None:
        self.layers = [
            (path, module)
            for path, module in model.named_modules()
            if isinstance(module, nn.Linear)
        ]
        if not self.layers:
            raise ValueError(f"Film: {type(model).__name__} has no Linear layer to draw")
        weights = [module.weight for _, module in self.layers]
        self.whole = [weights[0].shape[1], *(w.shape[0] for w in weights)]
        self.sizes = [min(n, UNITS) for n in self.whole]
        self.weights: list[list[np.ndarray]] = []
        self.notes: list[str] = []

    def __len__(self) -> int:
        return len(self.weights)

    def frame(self, **values: Any) -> None:
        """Keep the weights as they are now; `values` (a loss) are written under the picture."""
        self.weights.append(
            [numbers(module.weight)[:UNITS, :UNITS].copy() for _, module in self.layers]
        )
        words = [f"{name} {float(v.item() if hasattr(v, 'item') else v):.4g}"
                 for name, v in values.items()]  # fmt: skip
        self.notes.append(", ".join([f"step {len(self.weights)}", *words]))

    def places(self) -> list[np.ndarray]:
        """x and y of the units of each layer, in the unit square."""
        columns = len(self.sizes)
        return [
            np.stack([np.full(n, k / (columns - 1)), (np.arange(n) + 0.5) / n], axis=1)
            for k, n in enumerate(self.sizes)
        ]

    def figure(self, at: int = -1) -> Any:
        """One frame as a matplotlib figure. Raises IndexError where there is none."""
        made = figure(5.2, 3.4)
        self._paint(made, self._frame(at))
        return made

    def _frame(self, at: int) -> int:
        if not -len(self) <= at < len(self):
            raise IndexError(f"frame {at} is not there: the film has {len(self)}")
        return at % len(self)

    def _limits(self) -> list[float]:
        """The largest magnitude of each layer in the whole film: a width means the same all along."""
        return [
            max(float(np.abs(frame[k]).max(initial=0.0)) for frame in self.weights) or 1.0
            for k in range(len(self.layers))
        ]

    def _paint(self, made: Any, at: int) -> None:
        from matplotlib.collections import LineCollection

        made.clear()
        ax = made.add_subplot()
        ax.set_axis_off()
        places = self.places()
        for k, (weights, limit) in enumerate(zip(self.weights[at], self._limits(), strict=True)):
            rows, columns = np.indices(weights.shape)
            ends = np.stack([places[k][columns.ravel()], places[k + 1][rows.ravel()]], axis=1)
            strength = (np.abs(weights) / limit).ravel()
            drawn = LineCollection(
                list(ends),
                linewidths=0.2 + 3.2 * strength,
                colors=[ORANGE if w > 0 else BLUE for w in weights.ravel()],
                alpha=np.clip(0.12 + 0.8 * strength, 0, 1),
            )
            ax.add_collection(drawn)
        for n, whole, column in zip(self.sizes, self.whole, places, strict=True):
            ax.scatter(*column.T, s=46, color="white", edgecolors=INK, linewidths=1.0, zorder=3)
            if whole > n:
                ax.text(
                    column[0, 0], -0.02, f"{n} of {whole}", ha="center", color=MUTED, fontsize=8
                )
        ax.set_xlim(-0.06, 1.06)
        ax.set_ylim(-0.08, 1.04)
        ax.set_title(self.notes[at], color=MUTED, fontsize=10, loc="left")

    def save(self, path: str | os.PathLike[str], fps: int = 12) -> Path:
        """Write the film, as .gif (with matplotlib) or .html (a page of its own, with no library).

        Raises ValueError for another ending, and where no frame was kept.
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
        made = figure(5.2, 3.4)
        made.set_layout_engine("none")  # the same place in each frame
        made.set_dpi(64)
        from PIL import Image  # matplotlib brings it

        pictures = []
        for at in range(len(self)):
            self._paint(made, at)
            made.canvas.draw()
            picture = Image.fromarray(np.asarray(made.canvas.buffer_rgba())).convert("RGB")
            pictures.append(picture.quantize(24, dither=Image.Dither.NONE))
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=1000 // fps,
                         loop=0, optimize=True)  # fmt: skip

    def html(self, fps: int = 12) -> str:
        """A page that plays the film; it loads nothing."""
        data = {
            "places": [column.round(4).tolist() for column in self.places()],
            "limits": self._limits(),
            "frames": [[_rounded(w) for w in frame] for frame in self.weights],
            "notes": self.notes,
            "fps": fps,
        }
        text = (resources.files(__package__) / "web" / "film.html").read_text(encoding="utf-8")
        return text.replace("{{data}}", as_json(data))


def _rounded(weights: np.ndarray) -> Sequence[Sequence[float]]:
    found: list[list[float]] = np.round(weights, 4).tolist()
    return found
