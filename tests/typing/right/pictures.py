"""A user's program that draws: the types that a checker must see."""

from pathlib import Path
from typing import assert_type

from matplotlib.figure import Figure

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn

model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
x = tc.ones(4, 3)
picture = visualize.draw(
    model(x).sum(), model, names={"x": x}, direction="LR", heat="bytes", show="shapes"
)
assert_type(picture, visualize.Picture)
assert_type(picture.graph, visualize.Graph)
assert_type(picture.graph.nodes[0], visualize.Node)


def saved(picture: visualize.Picture, path: Path) -> None:  # in a function: it writes a file
    assert_type(picture.save(path), Path)
    assert_type(picture.save("a.svg"), Path)


assert_type(picture.render("png"), bytes)
assert_type(picture.table("time").rows[0].forward, float)
traced = visualize.trace(model, x, loss=lambda y: y.sum(), phase="both", show=("shapes", "dtypes"))
assert traced.steps is not None
assert_type(traced.steps[0], visualize.Step)
steps = visualize.steps(model(x).sum(), gradient=None)
assert_type(steps[0].arrives, visualize.Glance | None)
assert_type(steps.picture(depth=0), visualize.Picture)
d = visualize.diff(picture, traced.graph, direction="TB")
assert_type(d.added, list[str])
assert_type(visualize.filters(nn.Conv2d(1, 2, 3)), Figure)
h = visualize.History()
h.step(loss=0.3, acc=tc.tensor(1.0), model=model)
assert_type(h.plot("loss"), Figure)
look: visualize.Look = {"direction": "LR", "fold": False}
visualize.draw(model(x).sum(), **look)
