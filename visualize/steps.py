"""`steps`: the backward pass step by step, with the cotangents that enter and leave each vjp.

Of each cotangent a `Glance` is kept: its shape, its norm, and its numbers if there are few, else a
small image. So the steps of a large network take little memory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack, overload

import numpy as np

from tinygrad_cnn import Tensor, engine, nn

from .calls import input_names
from .graph import Glance, Graph, Shape, Step
from .images import image
from .look import Look
from .picture import Picture
from .record import Walk, walk
from .watch import cotangent

MAX_NAMES = 8  # of steps in the repr
MAX_NUMBERS = 24  # elements; a larger array is kept as an image


def glance(array: np.ndarray) -> Glance:
    """The summary of an array of any shape.

    >>> glance(np.array([3.0, 4.0]))
    Glance(shape=(2,), norm=5.0, numbers=(3.0, 4.0), png=None, limit=0.0)
    """
    norm = float(np.linalg.norm(array.astype(np.float64, copy=False)))
    if array.size <= MAX_NUMBERS:
        return Glance(array.shape, norm, tuple(float(v) for v in array.ravel()))
    png, limit = image(array)
    return Glance(array.shape, norm, None, png, limit)


class Steps(Sequence[Step]):
    """The steps of one backward pass over `graph`, in execution order: a sequence of `Step`.

    `str` writes them as text, and a notebook shows the graph.
    """

    def __init__(self, graph: Graph, steps: Sequence[Step] = ()) -> None:
        self.graph = graph
        self.steps = tuple(steps)

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, at: int) -> Step: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Step]: ...
    def __getitem__(self, at: int | slice) -> Step | Sequence[Step]:
        return self.steps[at]

    def __repr__(self) -> str:
        names = [step.name for step in self.steps]
        if len(names) > MAX_NAMES:
            names[MAX_NAMES - 1 :] = [f"… {len(names) - MAX_NAMES + 1:,} more"]
        return f"<Steps: {', '.join(names)}>"

    def __str__(self) -> str:
        lines = []
        for number, step in enumerate(self.steps, 1):
            arrives = "" if step.arrives is None else f"  {_brief(step.arrives)}"
            lines.append(f"{number:4} {step.name}{arrives}")
            lines += [f"       → {name}  {_brief(g)}" for _, name, g in step.leaves]
        return "\n".join(lines)

    def picture(self, **look: Unpack[Look]) -> Picture:
        """A picture of the graph with these steps. The options are those of `Picture`."""
        return Picture(self.graph, steps=self, **look)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the graph, and return the path. A page (.html) also plays the steps.

        Raises as `Picture.save`.
        """
        return self.picture().save(path)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {**self.picture()._repr_mimebundle_(), "text/plain": str(self)}


def _brief(g: Glance) -> str:
    shape = "x".join(map(str, g.shape)) or "scalar"
    words = f"{shape}, norm {g.norm:.4g}"
    if g.numbers is not None and len(g.numbers) <= 4:
        words += f" [{', '.join(f'{v:.4g}' for v in g.numbers)}]"
    return words


class Stepper(engine.Observer):
    """Keeps the steps of a backward pass over a graph that was walked."""

    def __init__(self, walked: Walk) -> None:
        self._walk = walked
        self._steps: list[Step] = []
        self._sums: dict[int, np.ndarray] = {}  # the gradients of leaves so far, by position

    def leaves(self) -> list[Tensor]:
        """The leaves of the graph that still exist."""
        found = {
            id(leaf): leaf
            for leaf in self._walk.alive
            if isinstance(leaf, Tensor) and leaf.requires_grad and leaf.is_leaf
            and id(leaf) in self._walk.at
        }  # fmt: skip
        return list(found.values())

    def vjp_ran(self, node: engine.Node, g: object, gradients: Sequence[object]) -> None:
        """Keep one step."""
        at = self._walk.at.get(id(node))
        if at is None:
            return
        leaves: list[tuple[int, str, Glance]] = []
        filled: dict[int, Glance] = {}
        inputs = zip(input_names(node), node.parents, gradients, strict=False)
        for slot, (name, parent, gradient) in enumerate(inputs):
            array = cotangent(gradient)
            if array is None or parent is None:
                continue
            if parent.shape is not None and array.shape != parent.shape:
                array = _summed(array, parent.shape)
            leaves.append((slot, self._walk.name_of(parent, name), glance(array)))
            if parent.op is None:
                leaf = parent if parent.variable is None else parent.variable
                where = self._walk.at.get(id(leaf))
                if where is not None:
                    before = self._sums.get(where)
                    total = array.copy() if before is None else np.asarray(before + array)
                    self._sums[where] = total
                    filled[where] = glance(total)
        arrives = cotangent(g)
        self._steps.append(
            Step(
                at, node.op.name, None if arrives is None else glance(arrives),
                tuple(leaves), filled,
            )
        )  # fmt: skip

    def steps(self, graph: Graph) -> Steps:
        """The steps so far, over the finished graph of the walk."""
        return Steps(graph, self._steps)


def _summed(array: np.ndarray, shape: Shape) -> np.ndarray:
    """The gradient of an input of this shape that was broadcast: summed over the repeated axes."""
    lead = array.ndim - len(shape)
    axes = [*range(lead), *(lead + i for i, n in enumerate(shape) if n != array.shape[lead + i])]
    total: np.ndarray = array.sum(axis=tuple(axes), keepdims=True).reshape(shape)
    return total


def steps(
    loss: Tensor,
    model: nn.Module | None = None,
    *,
    names: Mapping[str, Tensor] | None = None,
    gradient: Tensor | None = None,
    retain_graph: bool = False,
) -> Steps:
    """Run `loss.backward()` and keep each of its steps.

    Args:
        loss: a Tensor that was computed. It is a scalar, unless `gradient` is given.
        model, names: as in `draw`.
        gradient: the cotangent of `loss`, of its shape.
        retain_graph: as in `Tensor.backward`.

    Gradients accumulate as with `backward`. Raises as `draw` and `Tensor.backward` do.

    >>> import tinygrad_cnn as tc
    >>> w = tc.tensor([1.0, 2.0], requires_grad=True)
    >>> found = steps((w * w).sum(), names={"w": w})
    >>> print(found)
       1 sum  scalar, norm 1 [1]
           → mul  2, norm 1.414 [1, 1]
       2 mul  2, norm 1.414 [1, 1]
           → w  2, norm 2.236 [1, 2]
           → w  2, norm 2.236 [1, 2]
    >>> found[-1].filled[0].numbers
    (2.0, 4.0)
    """
    walked = walk([loss], model, names)
    graph = walked.graph()
    stepper = Stepper(walked)
    with engine.observe(stepper):
        loss.backward(gradient, retain_graph=retain_graph)
    return stepper.steps(graph)
