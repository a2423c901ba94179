"""Folding: repeated pieces are drawn once, with their number, and all else is drawn."""

import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import visualize
from tinygrad_cnn import nn
from visualize.fold import fold


def folded(tensor, model=None):
    return fold(visualize.record(tensor, model))


def counts(graph):
    return {c.path: c.count for c in graph.clusters if c.count > 1}


def test_blocks_of_a_resnet(nets):
    model = nets.ResNet(blocks=(3, 4, 1, 2))
    graph = folded(model(tc.ones(2, 3, 8, 8)).sum(), model)
    assert counts(graph) == {"layer1.0": 3, "layer2.1": 3}
    (first,) = [c for c in graph.clusters if c.path == "layer1.0"]
    assert (first.label, first.parent) == ("layer1.0 … 2", "layer1")
    names = [node.name for node in graph.nodes if node.kind == "parameter"]
    assert "layer1.0.conv1.weight" in names
    assert "layer1.1.conv1.weight" not in names
    assert "layer2.2.conv1.weight" not in names


def test_the_way_on_leads_out_of_what_was_folded(nets):
    model = nets.ResNet(blocks=(3, 1, 1, 1))
    graph = folded(model(tc.ones(2, 3, 8, 8)).sum(), model)
    out = [at for at, n in graph.ops() if n.cluster == "layer1.0" and n.name == "relu"][-1]
    targets = {graph.nodes[e.target].cluster for e in graph.edges if e.source == out}
    assert targets == {"layer2.0.conv1", "layer2.0.downsample.0"}
    assert all(edge.source < edge.target for edge in graph.edges)


@given(
    st.integers(5, 40), st.lists(st.sampled_from(["exp", "tanh", "sin"]), min_size=1, max_size=4)
)
def test_a_chain_of_pieces(n, names):
    y = tc.ones(2, requires_grad=True)
    for _ in range(n):
        for name in names:
            y = getattr(y, name)()
    graph = folded(y)
    ops = [node.name for _, node in graph.ops()]
    assert len(ops) <= len(names)
    total = sum(len(node.origin) for _, node in graph.ops())
    assert total == n * len(names)  # every op is the origin of a drawn one
    assert len(graph.edges) == len(ops) + 1


def test_too_little_to_fold():
    y = tc.ones(2, requires_grad=True)
    graph = visualize.record(y.exp().exp().exp())
    assert fold(graph) is graph


def test_folds_of_folds():
    y = tc.ones(2, requires_grad=True)
    for _ in range(6):
        for _ in range(8):
            y = y.exp()
        y = y.tanh()
    graph = folded(y)
    assert [node.name for _, node in graph.ops()] == ["exp", "tanh"]
    assert sorted(c.count for c in graph.clusters) == [6, 8]
    inner = next(c for c in graph.clusters if c.count == 8)
    assert next(c.count for c in graph.clusters if c.path == inner.parent) == 6


def test_shared_weights_do_not_hinder(nets):
    model = nets.Recurrent(9)
    graph = folded(model(tc.ones(1, 3)).sum(), model)
    assert [node.name for _, node in graph.ops()] == ["linear", "tanh", "sum"]
    assert sum(node.kind == "parameter" for node in graph.nodes) == 2


def test_what_is_used_further_on_is_not_folded_away():
    x = tc.ones(2, requires_grad=True)
    y, kept = x, []
    for _ in range(8):
        y = y.exp().tanh()
        kept.append(y)
    graph = folded(tc.stack(kept).sum())  # all are inputs of one op
    assert sum(node.name == "exp" for _, node in graph.ops()) == 8


def test_shapes_that_differ_are_no_repetition():
    model = nn.Sequential(*[nn.Linear(k, k + 1) for k in range(2, 12)])
    graph = folded(model(tc.ones(1, 2)).sum(), model)
    assert counts(graph) == {}
    model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(10)])
    graph = folded(model(tc.ones(1, 4)).sum(), model)
    assert counts(graph) == {"0": 10}


def test_attributes_that_differ_are_no_repetition():
    y = tc.ones(4, 4, requires_grad=True)
    for k in range(8):
        y = y.sum(dim=k % 2, keepdim=True).expand(4, 4)
    kinds = [node.name for _, node in folded(y).ops()]
    assert kinds == ["sum", "expand", "sum", "expand"]


def test_a_module_is_not_cut_in_two():
    class Pair(nn.Module):
        def forward(self, x):
            return x.exp().tanh()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.pairs = nn.ModuleList([Pair() for _ in range(6)])

        def forward(self, x):
            x = x.tanh()
            for pair in self.pairs:
                x = pair(x)
            return x.exp().sum()

    graph = fold(visualize.trace(Net(), tc.ones(2, requires_grad=True)).graph)
    assert counts(graph) == {"pairs.0": 6}
    assert [n.name for _, n in graph.ops()] == ["tanh", "exp", "tanh", "exp", "sum", "sum"]


def test_measures_are_summed(nets):
    model = nets.Recurrent(9)
    picture = visualize.trace(model, tc.ones(1, 3))
    whole = sum(n.measured.forward for _, n in picture.graph.ops())
    assert sum(n.measured.forward for _, n in picture.folded.ops()) == pytest.approx(whole)
    kept = sum(n.kept() for _, n in picture.graph.ops())
    assert sum(n.kept() for _, n in picture.folded.ops()) == kept


def test_folding_can_be_left_out(nets):
    model = nets.Recurrent(9)
    y = model(tc.ones(1, 3)).sum()
    assert len(visualize.draw(y, model, fold=False).view.nodes) > 18
    assert len(visualize.draw(y, model).view.nodes) < 8


def test_a_loop_has_an_arrow_back_and_says_that_weights_are_shared(nets):
    picture = visualize.trace(nets.Recurrent(9), tc.ones(1, 3))
    (loop,) = [c for c in picture.view.clusters if c.count > 1]
    assert loop.shared
    assert "shared weights" in picture.source
    names = [n.name for n in picture.view.nodes]
    assert f"n{names.index('tanh')}:e -> n{names.index('linear')}:e" in picture.source
    assert "×9" in picture.source
    assert picture.view.nodes[names.index("x")].cluster is None  # not an input of each turn


def test_blocks_with_weights_of_their_own_are_no_loop():
    model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(10)])
    picture = visualize.draw(model(tc.ones(1, 4)).sum(), model)
    assert not any(c.shared or c.loops for c in picture.folded.clusters)
    assert ":e -> " not in picture.source


def test_closed_and_folded_boxes_count_all_that_is_in_them(nets):
    model = nets.ResNet(blocks=(3, 1, 1, 1))
    picture = visualize.trace(model, tc.ones(2, 3, 8, 8), depth=1)
    block = next(n for n in picture.view.nodes if n.kind == "module" and n.count == 3)
    inside = [n for _, n in picture.graph.ops() if "layer1" in picture.graph.chains()[n.cluster]]
    assert block.members == len(inside) == 21
    parameters = sum(p.numel() for p in model.layer1.parameters())
    assert block.rows == (("parameters", f"{parameters:,}", "sum"),)
    assert block.kept() == sum(n.kept() for n in inside)
    assert "21 ops in all" in picture.source


def test_a_closed_module_counts_parameters_that_its_calls_share():
    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x):
            return self.fc(x).tanh()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = Cell()

        def forward(self, x):
            return self.cell(self.cell(x))

    view = visualize.trace(Net(), tc.ones(1, 3), depth=0).view
    assert [n.rows for n in view.nodes if n.kind == "module"] == [
        (("parameters", "12 shared", "sum"),)
    ] * 2
