"""`steps`: the backward pass of a graph, step by step: what arrives at each vjp and what leaves it.

Of each cotangent a `Glance` stays: shape, norm, and its numbers where they are few, else a small
image. So the steps of a large network take little memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_cnn import Tensor
from tinygrad_cnn.engine import Observer, observe

from .images import image
from .model import Graph, Shape
from .record import Walk, walk

NUMBERS = 24  # values of an array that are kept as numbers


@dataclass(slots=True)
class Glance:
    """What is kept of an array: `numbers` (flat) where it is small, else `png`, an image of it.

    The image shows 0 as grey, the largest magnitude, `limit`, as blue (below 0) or orange.
    """

    shape: Shape
    norm: float
    numbers: tuple[float, ...] | None = None
    png: bytes | None = None
    limit: float = 0.0


def glance(array: np.ndarray) -> Glance:
    """What is kept of an array.

    >>> glance(np.array([3.0, 4.0]))
    Glance(shape=(2,), norm=5.0, numbers=(3.0, 4.0), png=None, limit=0.0)
    """
    norm = float(np.linalg.norm(array.astype(np.float64, copy=False)))
    if array.size <= NUMBERS:
        return Glance(array.shape, norm, tuple(float(v) for v in array.ravel()))
    png, limit = image(array)
    return Glance(array.shape, norm, None, png, limit)


@dataclass(slots=True)
class Step:
    """One op's vjps: `node` is its place in the graph, `arrives` the cotangent of its output.

    `leaves` has for each input that asked for it (by its slot, name) the cotangent that leaves;
    `filled` the gradients so far of the leaves that this step adds to, by their place.
    """

    node: int
    name: str
    arrives: Glance | None
    leaves: tuple[tuple[int, str, Glance], ...]
    filled: Mapping[int, Glance]


@dataclass
class Steps:
    """The steps of one backward pass over `graph`, in the order in which they ran."""

    graph: Graph
    steps: Sequence[Step] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __getitem__(self, at: int) -> Step:
        return self.steps[at]

    def __str__(self) -> str:
        lines = []
        for number, step in enumerate(self.steps, 1):
            arrives = "" if step.arrives is None else f"  {_brief(step.arrives)}"
            lines.append(f"{number:4} {step.name}{arrives}")
            lines += [f"       → {name}  {_brief(g)}" for _, name, g in step.leaves]
        return "\n".join(lines)

    def picture(self, **how: Any) -> Any:
        """A Picture of the graph with these steps; `how` as in `draw`."""
        from .picture import Picture

        return Picture(self.graph, steps=self, **how)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page that plays the steps, which must end in .html, or a picture of the graph."""
        saved: Path = self.picture().save(path)
        return saved

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {**self.picture()._repr_mimebundle_(), "text/plain": str(self)}


def _brief(g: Glance) -> str:
    shape = "x".join(map(str, g.shape)) or "scalar"
    words = f"{shape}, norm {g.norm:.4g}"
    if g.numbers is not None and len(g.numbers) <= 4:
        words += f" [{', '.join(f'{v:.4g}' for v in g.numbers)}]"
    return words


class Stepper(Observer):
    """Keeps the steps of a backward pass over a graph that was walked."""

    def __init__(self, walked: Walk) -> None:
        self._walk = walked
        self._found: list[Step] = []
        self._sums: dict[int, np.ndarray] = {}

    def leaves(self) -> list[Any]:
        """The leaves of the graph that live."""
        found = {
            id(leaf): leaf
            for leaf in self._walk.alive
            if isinstance(leaf, Tensor) and leaf.requires_grad and leaf.is_leaf
            and id(leaf) in self._walk.at
        }  # fmt: skip
        return list(found.values())

    def vjp_ran(self, node: Any, g: Any, gradients: Sequence[Any]) -> None:
        """Note one step."""
        at = self._walk.at.get(id(node))
        if at is None:
            return
        leaving, filled = [], {}
        names = self._walk.names_of(node)
        for slot, (name, parent, gradient) in enumerate(
            zip(names, node.parents, gradients, strict=False)
        ):
            array = _array(gradient)
            if array is None or parent is None:
                continue
            if array.shape != parent.shape and parent.shape is not None:
                array = _summed(array, parent.shape)
            leaving.append((slot, name, glance(array)))
            if parent.op is None:
                known = parent if parent.variable is None else parent.variable
                where = self._walk.at.get(id(known))
                if where is not None:
                    before = self._sums.get(where)
                    total = np.array(array) if before is None else before + array
                    self._sums[where] = total
                    filled[where] = glance(total)
        array = _array(g)
        arrives = None if array is None else glance(array)
        self._found.append(Step(at, node.op.name, arrives, tuple(leaving), filled))

    def steps(self, graph: Graph) -> Steps:
        """What was noted."""
        return Steps(graph, self._found)


def _array(g: Any) -> np.ndarray | None:
    if isinstance(g, Tensor):
        g = g.detach().numpy()
    if isinstance(g, np.generic):
        g = np.asarray(g)
    return g if isinstance(g, np.ndarray) else None


def _summed(array: np.ndarray, shape: Shape) -> np.ndarray:
    """The gradient of what was broadcast: summed over what was repeated."""
    lead = array.ndim - len(shape)
    axes = [*range(lead), *(lead + i for i, n in enumerate(shape) if n != array.shape[lead + i])]
    total: np.ndarray = array.sum(axis=tuple(axes), keepdims=True).reshape(shape)
    return total


def steps(
    loss: Any,
    model: Any = None,
    *,
    names: Mapping[str, Any] | None = None,
    gradient: Any = None,
    retain_graph: bool = False,
) -> Steps:
    """Run `loss.backward()` and keep each of its steps.

    Args:
        loss: a Tensor that was computed; a scalar, or `gradient` is its cotangent.
        model, names: as in `draw`.
        retain_graph: as in `Tensor.backward`.

    Gradients are accumulated as by `backward`. Raises as `draw` and `backward` do.

    >>> import tinygrad_cnn as tc
    >>> w = tc.tensor([1.0, 2.0], requires_grad=True)
    >>> found = steps((w * w).sum(), names={"w": w})
    >>> [step.name for step in found], found[-1].filled[0].numbers
    (['sum', 'mul'], (2.0, 4.0))
    """
    walked = walk([loss], model, names)
    graph = walked.graph()
    stepper = Stepper(walked)
    with observe(stepper):
        loss.backward(gradient, retain_graph=retain_graph)
    return stepper.steps(graph)
