"""The recorded graph as a picture: a client of `tinygrad_cnn`, which never imports it.

>>> import tinygrad_cnn as tc
>>> import visualize
>>> w = tc.tensor([1.0, 2.0], requires_grad=True)
>>> picture = visualize.draw((w * w).sum(), names={"w": w})
>>> [node.name for node in picture.graph.nodes]
['w', 'mul', 'sum', 'output']

`picture.save("graph.svg")` draws it, `picture.save("graph.html")` writes a page to explore it, and
a notebook shows it. `trace` runs a model and measures, `steps` goes through the backward pass,
`by_hand` works a small graph with formulas and numbers, `diff` compares two graphs. `filters`,
`activations`, `History` and `Film` show a trained network and its training, `overlap` a step in
several processes.

A graph passes through these modules: `record.py` makes plain data (`graph.py`) from Tensors;
`fold.py`, `view.py`, `arrows.py` and `backward.py` make views of it, and `cost.py` predicts how long
their layout takes; `dot.py` writes DOT text for `render.py`,
and `page.py` the HTML page. `look.py` has the options.
"""

from .diff import Difference, diff
from .explain import explain
from .film import Film
from .graph import Cluster, Edge, Glance, Graph, Measured, Node, Saved, Step, Verdict
from .hand import ByHand, by_hand
from .health import Health, Strip
from .history import History
from .learned import activations, filters
from .look import Layout, Look
from .overlap import overlap
from .picture import Picture, draw
from .record import record
from .render import LayoutTimeout, RendererNotFound
from .steps import Steps, steps
from .table import Row, Table
from .trace import trace
from .view import cut

__all__ = [
    "ByHand",
    "Cluster",
    "Difference",
    "Edge",
    "Film",
    "Glance",
    "Graph",
    "Health",
    "History",
    "Layout",
    "LayoutTimeout",
    "Look",
    "Measured",
    "Node",
    "Picture",
    "RendererNotFound",
    "Row",
    "Saved",
    "Step",
    "Steps",
    "Strip",
    "Table",
    "Verdict",
    "activations",
    "by_hand",
    "cut",
    "diff",
    "draw",
    "explain",
    "filters",
    "overlap",
    "record",
    "steps",
    "trace",
]
