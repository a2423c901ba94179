"""Arrows that boxes name, and parameters that many boxes share."""

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize.arrows import MOST_SKIPS, named
from visualize.view import MOST_ARROWS, inline


class Tagger(nn.Module):
    """A recurrent net, unrolled: each step takes its input and gives its output."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.o = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x):
        h, ys = tc.zeros(x.shape[0], 8), []
        for t in range(x.shape[1]):
            h = tc.tanh(self.a(x[:, t]) + self.b(h))
            ys.append(self.o(h))
        return tc.stack(ys, 1)


def links(graph, name):
    return [node.links for node in graph.nodes if node.name == name]


def test_a_tagger_of_30_steps_has_no_long_arrow():
    view = visualize.trace(Tagger(), tc.ones(2, 30, 4)).view
    assert not any(node.kind == "parameter" for node in view.nodes)
    assert links(view, "stack") == [("from 29 linear, o … o (29)",)]
    assert links(view, "getitem") == [()] + [("from x",)] * 29
    outputs = [n for n in view.nodes if n.cluster and n.cluster.split(" ")[0] == "o"]
    assert [n.links for n in outputs] == [("to stack",)] * 29 + [()]
    assert all(("weight", "3x8 shared", "parameter") in n.rows for n in outputs)
    assert visualize.cost.span(view) == 0


def test_a_tagger_of_few_steps_has_all_its_arrows():
    view = visualize.trace(Tagger(), tc.ones(2, MOST_SKIPS, 4)).view
    assert not any(node.links for node in view.nodes)
    assert sum(view.nodes[e.target].name == "stack" for e in view.edges) == MOST_SKIPS
    assert sum(view.nodes[e.source].name == "x" for e in view.edges) == MOST_SKIPS


def test_a_parameter_has_three_arrows_at_most():
    for uses in (1, MOST_ARROWS, MOST_ARROWS + 1):
        model, x = nn.Linear(2, 2), tc.ones(1, 2)
        y = sum(model(x * k) for k in range(uses))
        graph = inline(visualize.record(y, model))
        boxes = [n.name for n in graph.nodes if n.kind == "parameter"]
        assert boxes == (["weight", "bias"] if uses == MOST_ARROWS else [])
        rows = [n.rows for n in graph.nodes if n.name == "linear"]
        shared = " shared" if uses > 1 else ""
        written = (
            ("weight", f"2x2{shared}", "parameter"), ("bias", f"2{shared}", "parameter")
        )  # fmt: skip
        assert rows == [() if uses == MOST_ARROWS else written] * uses


def test_gradients_of_shared_parameters_stand_in_the_boxes_of_their_vjps():
    picture = visualize.trace(Tagger(), tc.ones(2, 9, 4), phase="backward")
    assert not any(node.kind == "gradient" for node in picture.view.nodes)
    vjps = [n for n in picture.view.nodes if n.name == "linear" and n.cluster == "b (5)"]
    assert [n.rows for n in vjps] == [
        (("grad weight", "8x8 shared", "gradient"), ("grad bias", "8 shared", "gradient"))
    ]


def test_skips_into_closed_modules_are_named_by_their_paths():
    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(
                nn.Sequential(nn.Linear(k + 1, 3), nn.Tanh(), nn.Linear(3, 1)) for k in range(9)
            )

        def forward(self, x):
            xs = [x]
            for layer in self.layers:
                xs.append(layer(tc.cat(xs, 1)))
            return xs[-1]

    view = visualize.trace(Dense(), tc.ones(2, 1), depth=0).view
    last = [n for n in view.nodes if n.name == "cat"][-1]
    assert last.links == ("from x", "from 7 layers.0 … layers.6")
    first = next(n for n in view.nodes if n.name == "layers.0")
    assert first.links[0].startswith("to 7 cat")


def test_named_arrows_are_in_the_text_of_the_picture():
    picture = visualize.trace(Tagger(), tc.ones(2, 9, 4))
    assert "from 8 linear, o … o (8)" in picture.source
    assert named(picture.view).nodes == picture.view.nodes
