"""`overlap`: the last step of a DistributedDataParallel: computing, and its buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .palette import NEGATIVE, POSITIVE, ZERO
from .plots import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def overlap(model: Any) -> Figure:
    """Draw the last backward pass of a DistributedDataParallel over time, as a matplotlib figure.

    The first row is computing. Each other row is a bucket of gradients: grey from the moment when it is
    complete until all ranks have it, blue while it is reduced. The part of the blue that lies below the
    orange bar costs no time.

    Raises ValueError before the first backward pass in several ranks, ImportError without matplotlib.
    """
    reducer = model.reducer
    if not reducer.ended:
        raise ValueError("overlap: the model has not averaged gradients over several ranks yet")
    rows = reducer.timings()
    made = figure(8.0, 1.2 + 0.35 * len(rows))
    axes = made.add_subplot()

    def bar(row: int, begin: float, end: float, color: str) -> None:
        begin, end = (1e3 * (moment - reducer.began) for moment in (begin, end))
        axes.barh(row, end - begin, left=begin, height=0.7, color=color)

    bar(0, reducer.began, reducer.computed, POSITIVE)
    for row, t in enumerate(rows, 1):
        bar(row, t.ready, t.started, ZERO)
        bar(row, t.started, t.ended, NEGATIVE)
    names = [f"bucket {t.bucket}, {t.nbytes / 2**20:.2f} MB" for t in rows]
    axes.set_yticks(range(len(rows) + 1), ["backward", *names])
    axes.invert_yaxis()
    hidden = sum(max(0.0, min(t.ended, reducer.computed) - t.started) for t in rows)
    total = sum(t.ended - t.started for t in rows)
    axes.set_xlabel(f"ms; {hidden / max(total, 1e-12):.0%} of the communication is hidden")
    return made
