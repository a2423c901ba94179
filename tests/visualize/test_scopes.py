"""Modules as clusters: inferred from parameters, or seen in a run."""

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn


def placed(graph):
    return [(node.name, node.cluster) for _, node in graph.ops()]


def test_clusters_are_nested_with_names_and_classes(nets):
    model = nets.ResNet()
    graph = visualize.record(model(tc.ones(2, 3, 8, 8)).sum(), model)
    found = {c.path: (c.kind, c.parent) for c in graph.clusters}
    assert found["layer2"] == ("Sequential", None)
    assert found["layer2.0"] == ("Block", "layer2")
    assert found["layer2.0.downsample.0"] == ("Conv2d", "layer2.0.downsample")
    assert graph.chains()["layer2.0.conv1"] == ("layer2", "layer2.0", "layer2.0.conv1")


def test_what_parameters_tell_is_what_a_run_shows(nets):
    """For these models. An op without parameters at the edge of a module could belong to either."""
    for model, x in ((nets.ResNet(), tc.ones(2, 3, 8, 8)), (nets.LeNet(), tc.ones(2, 1, 8, 8)),
                     (nets.mlp(), tc.ones(2, 4))):  # fmt: skip
        inferred = visualize.draw(model(x).sum(), model).graph
        seen = visualize.trace(model, x).graph
        assert placed(inferred) == placed(seen)
        assert {c.path for c in inferred.clusters} == {c.path for c in seen.clusters}


def test_ops_between_two_of_a_module_are_in_it():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.ModuleDict({"a": nn.Linear(2, 2), "b": nn.Linear(2, 2)})
            self.last = nn.Linear(2, 1)

        def forward(self, x):
            x = self.inner["b"](F.relu(self.inner["a"](x)))
            return self.last(x.tanh())

    model = Net()
    assert placed(visualize.draw(model(tc.ones(1, 2)).sum(), model).graph) == [
        ("linear", "inner.a"), ("relu", "inner"), ("linear", "inner.b"), ("tanh", None),
        ("linear", "last"), ("sum", None),
    ]  # fmt: skip


def test_a_module_called_again_is_another_cluster(nets):
    model = nets.Recurrent(3)
    for graph in (
        visualize.draw(model(tc.ones(1, 3)).sum(), model).graph,
        visualize.trace(model, tc.ones(1, 3)).graph,
    ):
        assert placed(graph)[::2] == [
            ("linear", "cell"), ("linear", "cell (2)"), ("linear", "cell (3)"), ("sum", None)
        ]  # fmt: skip
        assert [c.path for c in graph.clusters] == ["cell", "cell (2)", "cell (3)"]
        weights = [n for n in graph.nodes if n.name == "cell.weight"]
        assert len(weights) == 1
        assert weights[0].cluster is None  # it belongs to several calls


def test_modules_without_parameters_are_seen_in_a_run():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 4), nn.Sequential(nn.ReLU(), nn.Tanh()))
    graph = visualize.trace(model, tc.ones(1, 2, 2)).graph
    assert placed(graph) == [
        ("reshape", "0"), ("linear", "1"), ("relu", "2.0"), ("tanh", "2.1"), ("sum", None)
    ]  # fmt: skip


def test_a_module_whose_error_was_caught_has_left_its_scope():
    class Fails(nn.Module):
        def forward(self, x):
            raise RuntimeError("not today")

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fails, self.last = Fails(), nn.Linear(2, 2)

        def forward(self, x):
            try:
                x = self.fails(x)
            except RuntimeError:
                x = x.exp()
            return self.last(x)

    graph = visualize.trace(Net(), tc.ones(1, 2)).graph
    assert placed(graph) == [("exp", None), ("linear", "last"), ("sum", None)]


def test_a_layer_used_twice_in_one_block_is_no_second_call_of_the_block():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.twice, self.once = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            return self.once(self.twice(self.twice(x)))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = Block()

        def forward(self, x):
            return self.block(self.block(x))

    model = Net()
    drawn = visualize.draw(model(tc.ones(1, 2)).sum(), model).graph
    seen = visualize.trace(model, tc.ones(1, 2)).graph
    calls = ["block.twice", "block.twice (2)", "block.once"]
    calls += ["block.twice (3)", "block.twice (4)", "block.once (2)"]
    assert [cluster for _, cluster in placed(seen)][:6] == calls
    assert placed(drawn) == placed(seen)
    assert seen.chains()["block.twice (4)"] == drawn.chains()["block.twice (4)"]
    assert seen.chains()["block.twice (4)"][0] == "block (2)"


def test_dropped_inputs_of_a_list_of_modules():
    model = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    x = tc.ones(1, 2)
    graph = visualize.record(model[1](model[0](x)).sum(), model)
    assert [c.path for c in graph.clusters] == ["0", "1"]
