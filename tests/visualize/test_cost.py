"""The predicted cost of a layout chooses the view, the same one each time."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize.cost import MOST_SECONDS, seconds, span
from visualize.graph import Cluster, Edge, Graph, Node


def random_graph(n):
    """A graph of n ops, each of any two earlier ones."""
    rng = np.random.default_rng(0)
    nodes = [Node("leaf", "x")] + [Node("op", "add", (2,), origin=(k,)) for k in range(n)]
    edges = [
        Edge(int(source), k, slot, "ab"[slot])
        for k in range(1, n + 1)
        for slot, source in enumerate(rng.integers(0, k, size=2))
    ]
    return Graph(tuple(nodes), tuple(edges))


def test_arrows_over_ranks_and_frames_cost():
    chain = [Node("op", "exp", cluster=f"m{k // 2}") for k in range(200)]
    edges = [Edge(k, k + 1, 0, "x") for k in range(199)]
    plain = Graph(tuple(chain), tuple(edges))
    skip = Graph(tuple(chain), (*edges, Edge(0, 199, 1, "b")))
    frames = Graph(plain.nodes, plain.edges, tuple(Cluster(f"m{k}", "M") for k in range(100)))
    assert span(plain) == 0
    assert span(skip) == 198
    assert seconds(skip) == pytest.approx(seconds(plain) * (398 / 200) ** 3)
    assert seconds(frames) == pytest.approx(2 * seconds(plain))


def test_a_chain_of_1500_boxes_is_drawn_in_full():
    y = tc.ones(2, requires_grad=True)
    for _ in range(750):
        y = y.exp().tanh()
    picture = visualize.draw(y, fold=False)
    assert len(picture.view.nodes) == 1502
    assert "limit" not in picture.source


def test_a_large_random_graph_is_cut_where_it_costs_too_much():
    graph = random_graph(1500)  # fewer than the limit
    picture = visualize.Picture(graph, fold=False)
    shown = len(picture.view.nodes) - 1
    assert 300 < shown < 1500
    assert seconds(picture.view) <= MOST_SECONDS < 10
    assert f"The last {shown:,} of 1,501 boxes. limit=None draws all" in picture.source
    assert picture.source == visualize.Picture(graph, fold=False).source  # no clock decides
    assert len(visualize.Picture(graph, fold=False, limit=None).view.nodes) == 1501
    assert len(visualize.Picture(graph, fold=False, limit=50).view.nodes) == 51


def test_modules_are_closed_before_boxes_are_left_out():
    model = nn.Sequential(
        *[nn.Sequential(nn.Linear(k, k), nn.Tanh(), nn.Linear(k, k + 1)) for k in range(1, 21)]
    )
    y = model(tc.ones(1, 1))
    picture = visualize.draw(y, model, limit=30)
    assert {n.kind for n in picture.view.nodes} == {"constant", "module", "output"}
    assert len(picture.view.nodes) == 22
    assert "62 boxes are too many to lay out: closed to depth=0. limit=None" in picture.source
    assert len(visualize.draw(y, model).view.nodes) == 62
