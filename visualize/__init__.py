"""The recorded graph as a picture: a client of `tinygrad_cnn`, which never imports it.

>>> import tinygrad_cnn as tc
>>> import visualize
>>> w = tc.tensor([1.0, 2.0], requires_grad=True)
>>> picture = visualize.draw((w * w).sum(), names={"w": w})
>>> [node.name for node in picture.graph.nodes]
['w', 'mul', 'sum', 'output']

`picture.save("graph.svg")` draws it, and a notebook shows it. The model is in `model.py` (plain
nodes, edges and clusters, no Graphviz), the DOT text in `dot.py`, the renderers in `render.py`.
"""

from .model import Cluster, Edge, Graph, Node, Saved
from .picture import Picture, draw
from .record import record
from .render import RendererNotFound
from .steps import Step, Steps, steps
from .trace import trace
from .view import cut

__all__ = [
    "Cluster",
    "Edge",
    "Graph",
    "Node",
    "Picture",
    "RendererNotFound",
    "Saved",
    "Step",
    "Steps",
    "cut",
    "draw",
    "record",
    "steps",
    "trace",
]
