"""The recorded graph as a picture: a client of `tinygrad_cnn`, which never imports it.

>>> import tinygrad_cnn as tc
>>> import visualize
>>> w = tc.tensor([1.0, 2.0], requires_grad=True)
>>> picture = visualize.draw((w * w).sum(), names={"w": w})
>>> [node.name for node in picture.graph.nodes]
['w', 'mul', 'sum', 'output']

`picture.save("graph.svg")` draws it, `picture.save("graph.html")` writes a page to explore it, and a
notebook shows it. `trace` runs a model and measures, `steps` goes through the backward pass, `diff`
compares; `filters`, `activations`, `History` and `Film` show what a network learns.

A graph goes from `record` to a plain model (`model.py`: nodes, edges and clusters, no Graphviz), to
a view of that (`fold.py`, `view.py`, `backward.py`), to DOT text (`dot.py`) and a renderer
(`render.py`), or to the page (`page.py`).
"""

from .diff import Difference, diff
from .film import Film
from .history import History
from .learned import activations, filters
from .model import Cluster, Edge, Graph, Measured, Node, Saved, Verdict
from .picture import Picture, draw
from .record import record
from .render import RendererNotFound
from .steps import Step, Steps, steps
from .table import Table
from .trace import trace
from .view import cut

__all__ = [
    "Cluster",
    "Difference",
    "Edge",
    "Film",
    "Graph",
    "History",
    "Measured",
    "Node",
    "Picture",
    "RendererNotFound",
    "Saved",
    "Step",
    "Steps",
    "Table",
    "Verdict",
    "activations",
    "cut",
    "diff",
    "draw",
    "filters",
    "record",
    "steps",
    "trace",
]
