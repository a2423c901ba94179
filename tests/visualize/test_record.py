"""Recording: graphs counted by hand, and random programs against a list of their ops."""

import gc
import weakref
from collections import Counter

import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn


class TwoLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.fc = nn.Linear(8, 3, bias=False)

    def forward(self, x):
        return self.fc(F.max_pool2d(F.relu(self.conv(x)), 2).flatten(1))


def described(graph):
    """Each op with its inputs, by name and in order."""
    return [
        (node.name, [(edge.name, graph.nodes[edge.source].name) for edge in graph.inputs(at)])
        for at, node in enumerate(graph.nodes)
        if node.kind in ("op", "output")
    ]


def test_network_by_hand():
    model = TwoLayers()
    x, labels = tc.ones(5, 1, 4, 4), tc.tensor([0, 1, 2, 0, 1])
    loss = F.cross_entropy(model(x), labels)
    graph = visualize.record(loss, model, names={"images": x, "labels": labels})
    assert described(graph) == [
        ("conv2d", [("x", "images"), ("w", "conv.weight"), ("b", "conv.bias")]),
        ("relu", [("x", "conv2d")]),
        ("max_pool2d", [("x", "relu")]),
        ("reshape", [("x", "max_pool2d")]),
        ("linear", [("x", "reshape"), ("weight", "fc.weight")]),
        ("cross_entropy", [("x", "linear"), ("target", "labels")]),
        ("output", [("input", "cross_entropy")]),
    ]
    by_name = {node.name: node for node in graph.nodes}
    assert [cluster.path for cluster in graph.clusters] == ["conv", "fc"]
    assert [cluster.parent for cluster in graph.clusters] == [None, None]
    assert [edge.kept for edge in graph.edges] == [
        True, False, False,  # conv2d keeps x, and w only if x requires grad
        False,  # relu keeps its output ...
        True,  # ... which is the input of max_pool2d
        False, True, True, True, True, False,
    ]  # fmt: skip
    assert [cluster.kind for cluster in graph.clusters] == ["Conv2d", "Linear"]
    assert by_name["conv.weight"].cluster == by_name["conv2d"].cluster == "conv"
    assert by_name["relu"].cluster is None
    assert by_name["images"].shape == (5, 1, 4, 4)
    assert by_name["images"].kind == by_name["labels"].kind == "constant"
    assert by_name["conv.bias"].kind == "parameter"
    assert by_name["conv2d"].shape == (5, 2, 4, 4)
    assert by_name["conv2d"].dtype == "float32"
    assert by_name["conv2d"].attributes["stride"] == (1, 1)
    assert by_name["conv2d"].family == "conv"
    assert by_name["output"].value == pytest.approx(loss.item())


def test_nodes_follow_their_inputs():
    graph = visualize.record(TwoLayers()(tc.ones(1, 1, 4, 4)))
    assert all(edge.source < edge.target for edge in graph.edges)
    assert [(e.target, e.slot) for e in graph.edges] == sorted(
        (e.target, e.slot) for e in graph.edges
    )


def test_one_tensor_as_both_inputs_is_two_edges():
    w = tc.ones(3, requires_grad=True)
    graph = visualize.record(w * w, names={"w": w})
    assert [node.name for node in graph.nodes] == ["w", "mul", "output"]
    assert described(graph)[0] == ("mul", [("a", "w"), ("b", "w")])


def test_fan_out_is_one_node_and_several_edges():
    w = tc.ones(3, requires_grad=True)
    y = w.exp()
    graph = visualize.record((y * y.sin() + y).sum())
    assert [node.name for node in graph.nodes] == ["x", "exp", "sin", "mul", "add", "sum", "output"]
    assert sum(graph.nodes[edge.source].name == "exp" for edge in graph.edges) == 3


def test_shared_parameter_is_one_node():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(4, 4)
            self.second = nn.Linear(4, 4)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(self.first(x))

    model = Tied()
    graph = visualize.record(model(tc.ones(2, 4)), model)
    weights = [at for at, node in enumerate(graph.nodes) if node.name == "first.weight"]
    assert len(weights) == 1
    assert [e.name for e in graph.edges if e.source == weights[0]] == ["weight", "weight"]
    assert sum(node.kind == "parameter" for node in graph.nodes) == 3
    second = graph.nodes[-2]
    assert second.name == "linear"
    assert second.cluster is None  # its weight belongs to one module, its bias to another


def test_numbers_are_constants_with_their_value():
    w = tc.ones(3, requires_grad=True)
    graph = visualize.record(w * 2.5)
    (number,) = [node for node in graph.nodes if node.kind == "constant"]
    assert (number.name, number.value) == ("b", 2.5)


def test_one_constant_used_twice_is_one_node():
    x = tc.ones(3)
    u, v = tc.ones(3, requires_grad=True), tc.ones(3, requires_grad=True)
    graph = visualize.record((u * x + v * x).sum(), names={"x": x})
    assert sum(node.name == "x" for node in graph.nodes) == 1


def test_variadic_op_has_an_edge_for_each_input():
    w = tc.ones(2, requires_grad=True)
    graph = visualize.record(tc.cat([w, tc.ones(3), w]), names={"w": w})
    assert described(graph)[0] == ("cat", [("xs[0]", "w"), ("xs[1]", "xs[1]"), ("xs[2]", "w")])


def test_function_of_the_user():
    class Twice(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * 2, None

    w = tc.ones(2, requires_grad=True)
    graph = visualize.record(Twice.apply(w, 2.0), names={"w": w})
    assert described(graph)[0] == ("Twice", [("argument 0", "w")])


def test_function_with_two_outputs():
    class Both(tc.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, g, h):
            return g + 2 * h

    a, b = Both.apply(tc.ones(2, requires_grad=True))
    picture = visualize.draw(a * b)
    assert [n.name for n in picture.graph.nodes] == [
        "argument 0",
        "Both",
        "output",
        "output",
        "mul",
        "output",
    ]
    assert picture.render().startswith(b"<svg")


def test_several_outputs_in_their_order():
    w = tc.ones(2, requires_grad=True)
    y = w.exp()
    total = y.sum()
    graph = visualize.record([total, y], names={"total": total})
    assert [(n.kind, n.name) for n in graph.nodes[-2:]] == [
        ("output", "total"),
        ("output", "output 1"),
    ]


def test_no_grad_part_is_a_constant():
    w = tc.ones(2, requires_grad=True)
    with tc.no_grad():
        scale = w * 3
    assert described(visualize.record(w * scale))[0] == ("mul", [("a", "a"), ("b", "b")])


def test_in_place_and_view():
    w = tc.ones(4, requires_grad=True)
    y = w * 2
    y += 1
    graph = visualize.record(y.reshape(2, 2)[0].sum())
    assert [n.name for n in graph.nodes if n.kind == "op"] == [
        "mul",
        "add",
        "reshape",
        "getitem",
        "sum",
    ]


def test_saved_arrays_and_a_freed_graph():
    model = TwoLayers()
    x = tc.ones(5, 1, 4, 4)
    loss = model(x).sum()
    before = visualize.record(loss, model, {"images": x})
    conv = next(node for node in before.nodes if node.name == "conv2d")
    assert [(s.name, s.shape, s.nbytes) for s in conv.saved] == [("x", (5, 1, 4, 4), 320)]
    loss.backward()
    after = visualize.record(loss, model, {"images": x})
    conv = next(node for node in after.nodes if node.name == "conv2d")
    assert conv.saved is None
    assert [(e.source, e.target, e.slot, e.name) for e in after.edges] == [
        (e.source, e.target, e.slot, e.name) for e in before.edges
    ]


def test_leaf_that_lives_no_more_keeps_its_place():
    y = tc.ones(2, requires_grad=True) * tc.ones(2, requires_grad=True)
    graph = visualize.record(y)
    assert [node.kind for node in graph.nodes] == ["leaf", "leaf", "op", "output"]
    assert graph.nodes[0].shape == (2,)


def test_leaf_itself():
    w = tc.ones(2, requires_grad=True)
    graph = visualize.record(w, names={"w": w})
    assert [(n.kind, n.name) for n in graph.nodes] == [("leaf", "w"), ("output", "w")]


def test_graph_of_the_gradient():
    w = tc.ones(2, requires_grad=True)
    (g,) = tc.autograd.grad((w**3).sum(), w, create_graph=True)
    names = [node.name for node in visualize.record(g).nodes]
    assert "pow" in names


def test_the_tensors_are_left_as_they_were():
    w = tc.ones(2, requires_grad=True)
    y = (w * w).sum()
    visualize.draw(y, names={"w": w})
    y.backward()
    assert w.grad.tolist() == [2.0, 2.0]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: tc.ones(2), ValueError, "no graph was recorded"),
        (lambda: 3.0, TypeError, "expected a Tensor"),
        (list, ValueError, "nothing to draw"),
    ],
)
def test_what_cannot_be_drawn(make, error, words):
    with pytest.raises(error, match=words):
        visualize.draw(make())


def test_names_must_be_of_tensors():
    w = tc.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match=r"names\['x'\]: expected a Tensor"):
        visualize.draw(w * w, names={"x": None})


def test_saved_memory_is_counted_once():
    x = tc.ones(100, requires_grad=True)
    y = x.exp()
    graph = visualize.record((y * y.sin()).sum(), names={"x": x})
    kept = {n.name: [(s.name, s.own) for s in n.saved] for _, n in graph.ops()}
    assert kept["exp"] == [("y", True)]
    assert kept["sin"] == [("x", False)]  # the same array
    assert dict(kept["mul"]) == {"a": False, "b": True}
    assert sum(n.kept() for _, n in graph.ops()) == 2 * 400


def test_nothing_of_the_graph_is_kept_alive():
    w = tc.ones(100, requires_grad=True)
    y = w.exp()
    alive = weakref.ref(y)
    picture = visualize.draw(y.sum())
    picture.render("svg")
    del y
    gc.collect()
    assert alive() is None
    assert picture.graph.nodes


OPS = {
    "add": (2, lambda a, b: a + b),
    "mul": (2, lambda a, b: a * b),
    "sub": (2, lambda a, b: a - b),
    "tanh": (1, lambda a: a.tanh()),
    "reshape": (1, lambda a: a.reshape(2, 1)),
    "cat": (3, lambda *xs: tc.cat(xs, dim=1)),
    "sum": (1, lambda a: a.sum(dim=1, keepdim=True)),
}


@st.composite
def programs(draw):
    """Steps of a program on tensors of shape (2, n): an op, and the positions of its operands."""
    steps = []
    for k in range(draw(st.integers(1, 12))):
        name = draw(st.sampled_from(sorted(OPS)))
        places = st.integers(0, k + 2)
        steps.append((name, [draw(places) for _ in range(OPS[name][0])]))
    return steps


def uses(end, leaf):
    """Whether the graph of `end` has this leaf."""
    calls = visualize.calls.recorded_calls([end.grad_fn], {})
    return any(p is not None and p.variable is leaf for call in calls for p in call.parents)


@given(programs())
def test_each_input_of_each_op_is_one_edge_in_order(steps):
    """Programs on two leaves and a constant."""
    values = [tc.ones(2, 1, requires_grad=True), tc.ones(2, 1, requires_grad=True), tc.ones(2, 1)]
    made = {id(values[0]): ("leaf", "u"), id(values[1]): ("leaf", "v"), id(values[2]): "c"}
    inputs = {}
    for name, places in steps:
        operands = [values[p] for p in places]
        if name == "reshape":
            operands = [x if x.shape == (2, 1) else x[:, :1] for x in operands]
        elif name in ("add", "mul", "sub") and operands[0].shape != operands[1].shape:
            operands = [x.sum(dim=1, keepdim=True) for x in operands]
        y = OPS[name][1](*operands)
        inputs[id(y)] = (name, operands)
        made[id(y)] = name
        values.append(y)
    end = next((y for y in reversed(values) if y.requires_grad), None)
    graph = visualize.record(end.sum(), names={"u": values[0]} if uses(end, values[0]) else None)
    places = {id(node): at for at, node in enumerate(graph.nodes)}
    assert len(places) == len(graph.nodes)
    expected, seen, stack = Counter(), set(), [end]
    while stack:  # the ops that the result depends on
        y = stack.pop()
        if id(y) in seen or id(y) not in inputs or not y.requires_grad:
            continue
        seen.add(id(y))
        name, operands = inputs[id(y)]
        expected[name, len(operands)] += 1
        stack += operands
    found = Counter((n.name, len(graph.inputs(at))) for at, n in graph.ops())
    for key, count in expected.items():
        assert found[key] >= count  # slices and sums above are ops too
    for at, node in graph.ops():
        edges = graph.inputs(at)
        assert [e.slot for e in edges] == list(range(len(edges)))
        assert all(e.source < at for e in edges)
        assert node.shape is not None
    assert [(e.target, e.slot) for e in graph.edges] == sorted(
        (e.target, e.slot) for e in graph.edges
    )
    assert len([n for n in graph.nodes if n.name == "u"]) <= 1


# --- Names ----------------------------------------------------------------------------------------


def test_names_hold_for_intermediate_values():
    w = tc.ones(2, requires_grad=True)
    h = w.exp()
    picture = visualize.draw((h * h).sum(), names={"w": w, "hidden": h})
    assert [(n.name, n.given) for _, n in picture.graph.ops()] == [
        ("exp", "hidden"), ("mul", ""), ("sum", "")
    ]  # fmt: skip
    assert "<B>hidden = exp</B>" in picture.source
    outputs = [n.name for n in visualize.record(h, names={"hidden": h}).nodes]
    assert outputs == ["x", "exp", "hidden"]


def test_a_name_that_occurs_nowhere_is_an_error():
    w, other, data = tc.ones(2, requires_grad=True), tc.ones(2, requires_grad=True), tc.ones(2)
    for wrong in (other, other.exp(), data):
        with pytest.raises(ValueError, match=r"names\['v'\]: this Tensor occurs nowhere"):
            visualize.draw((w * w).sum(), names={"w": w, "v": wrong})
    y = (w + data).sum()  # add keeps no input, so nobody knows that data is one
    assert visualize.record(y, names={"data": data}).nodes[1].shape is None
    y = (w * data).sum()
    y.backward()
    visualize.record(y, names={"data": data})  # freed


def test_data_without_a_name_does_not_take_the_name_of_an_input():
    x, w = tc.ones(2, 2), tc.ones(2, 2, requires_grad=True)
    y = F.linear(tc.zeros(1, 2), w) + F.linear(x, w)
    names = [n.name for n in visualize.record(y.sum(), names={"x": x, "w": w}).nodes]
    assert names[:4] == ["data", "w", "linear", "x"]


# --- Memory ---------------------------------------------------------------------------------------


def test_a_view_that_is_kept_holds_all_of_its_owner():
    w = tc.ones(1000, requires_grad=True)
    y = w.exp()  # keeps its output
    graph = visualize.record((y[:10].sin() * 2).sum(), names={"w": w})
    kept = {n.name: [(s.nbytes, s.own) for s in n.saved] for _, n in graph.ops()}
    assert kept["exp"] == [(4000, True)]
    assert kept["sin"] == [(4000, False)]
    z = (w * 2)[:10]
    (sin,) = [n for _, n in visualize.record(z.sin()).ops() if n.name == "sin"]
    assert sin.kept() == 4000


def test_buffers_stand_in_their_box_and_cost_no_memory():
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)).eval()
    picture = visualize.draw(model(tc.ones(1, 1, 3, 3)).sum(), model)
    box = next(n for n in picture.view.nodes if n.name == "batch_norm_inference")
    assert [row[:2] for row in box.rows] == [
        ("running_mean", "2"), ("running_var", "2"), ("weight", "2"), ("bias", "2")
    ]  # fmt: skip
    assert [s.name for s in box.saved if s.own] == ["x"]
    assert [n.name for n in picture.view.nodes] == [
        "x", "conv2d", "batch_norm_inference", "sum", "output"
    ]  # fmt: skip
