"""A traced run: its measurements, and the model stays unchanged."""

import contextlib
import time
from pathlib import Path

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
import visualize
from tinygrad_cnn import nn
from tinygrad_cnn.engine import observers
from tinygrad_cnn.engine.modes import special


def test_measures_by_hand():
    model = nn.Sequential(nn.Linear(3, 2, bias=False), nn.ReLU())
    with tc.no_grad():
        model[0].weight.copy_(tc.tensor([[1.0, 2.0, 3.0], [-1.0, -1.0, -1.0]]))
    picture = visualize.trace(model, tc.ones(1, 3), loss=lambda y: (y * y).sum())
    ops = {node.name: node for _, node in picture.graph.ops()}
    assert list(ops) == ["linear", "relu", "mul", "sum"]
    assert ops["linear"].measured.nbytes == 2 * 4
    assert ops["sum"].measured.grad_norm == 1.0
    assert ops["mul"].measured.grad_norm == pytest.approx(2**0.5)
    assert ops["relu"].measured.grad_norm == 12.0  # 2y with y = (6, 0)
    assert all(node.measured.forward > 0 for node in ops.values())
    assert all(node.measured.backward > 0 for node in ops.values())
    assert [n.name for n in picture.graph.nodes][:2] == ["input", "0.weight"]
    assert picture.graph.nodes[-1].name == "loss"


def test_source_lines():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return self.fc(x).tanh()  # this line

    number = 1 + next(
        k for k, line in enumerate(Path(__file__).read_text().splitlines()) if "# this line" in line
    )
    lines = {n.name: n.line for _, n in visualize.trace(Net(), tc.ones(1, 2)).graph.ops()}
    assert lines["tanh"] == lines["linear"] == f"{__file__}:{number}, in forward"


def test_not_finite_values_are_counted():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(tc.tensor([0.0, 1.0, -1.0]))

        def forward(self, x):
            return (self.w * x).log()

    ops = {n.name: n.measured for _, n in visualize.trace(Net(), tc.ones(3)).graph.ops()}
    assert ops["mul"].bad == 0
    assert ops["log"].bad == 2  # -inf and nan
    assert ops["mul"].bad_gradients == 1  # 1 / 0


def test_the_model_is_left_as_it_was(nets):
    model = nets.ResNet()
    buffers = {name: b.detach().clone() for name, b in model.named_buffers()}
    model(tc.ones(2, 3, 8, 8)).sum().backward()
    before = {name: p.grad.detach().clone() for name, p in model.named_parameters()}
    for buffer, known in zip(model.buffers(), buffers.values(), strict=True):
        buffer.data = known
    visualize.trace(model, tc.randn(2, 3, 8, 8))
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(p.grad.numpy(), before[name].numpy())
    for name, buffer in model.named_buffers():
        np.testing.assert_array_equal(buffer.numpy(), buffers[name].numpy())
    assert not observers
    assert not special
    assert not any(m._hooks.before or m._hooks.after for m in model.modules() if m._hooks)


def test_an_error_leaves_nobody_watching(nets):
    model = nets.LeNet()
    with pytest.raises(RuntimeError, match="conv2d: x has 3 channels"):
        visualize.trace(model, tc.ones(1, 3, 8, 8))
    assert not observers
    assert not special
    assert visualize.trace(model, tc.ones(1, 1, 8, 8)).graph.nodes


def test_numbers_are_those_of_a_plain_run(nets):
    tc.manual_seed(0)
    model, x = nets.LeNet(), tc.randn(2, 1, 8, 8)
    labels = tc.tensor([1, 2])
    loss = F.cross_entropy(model(x), labels)
    loss.backward()
    picture = visualize.trace(model, x, loss=lambda y: F.cross_entropy(y, labels))
    assert picture.graph.nodes[-1].value == loss.item()
    filled = {}
    for step in picture.steps:
        filled.update({picture.graph.nodes[at].name: g for at, g in step.filled.items()})
    for name, p in model.named_parameters():
        assert filled[name].norm == pytest.approx(float(np.linalg.norm(p.grad.numpy())), rel=1e-6)


def test_an_op_that_raises_on_the_way_spoils_no_time():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(tc.ones(2))

        def forward(self, x):
            for _ in range(3):
                with contextlib.suppress(RuntimeError):
                    self.w + tc.ones(3)
            return (self.w * x).exp()

    start = time.perf_counter()
    ops = {n.name: n.measured for _, n in visualize.trace(Net(), tc.ones(2)).graph.ops()}
    whole = time.perf_counter() - start
    assert list(ops) == ["mul", "exp", "sum"]
    assert all(m.forward > 0 for m in ops.values())
    assert sum(m.forward for m in ops.values()) < whole


def test_arrays_and_several_inputs_and_outputs():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 3)

        def forward(self, left, right):
            return self.a(left), self.b(right)

    graph = visualize.trace(Net(), np.ones((1, 2), np.float32), tc.ones(4, 2)).graph
    inputs = [n.name for n in graph.nodes if n.kind == "constant"]
    assert inputs == ["left", "right"]
    assert [n.name for _, n in graph.ops()] == ["linear", "sum", "linear", "sum", "add"] or [
        n.name for _, n in graph.ops()
    ] == ["linear", "linear", "sum", "sum", "add"]


class Nested(nn.Module):
    """Dicts, sequences and keywords in; a dict of nested outputs and None out."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 3)

    def forward(self, batch, states, *, scale=None):
        left = self.a(batch["left"]) * scale
        return {"left": left, "right": [self.b(states[1]), (None, left.detach())], "cache": None}


def test_dicts_and_keywords_in_and_nested_outputs():
    left, states = np.ones((1, 2), np.float32), [None, np.ones((4, 2), np.float32)]
    picture = visualize.trace(
        Nested(),
        {"left": left, "name": "x"},
        states,
        kwargs={"scale": np.full((2,), 3.0, np.float32)},
    )
    constants = [n.name for n in picture.graph.nodes if n.kind == "constant"]
    assert constants == ["batch['left']", "scale", "states[1]"]
    assert sorted(n.name for _, n in picture.graph.ops()) == [
        "add", "linear", "linear", "mul", "sum", "sum"
    ]  # fmt: skip
    chosen = visualize.trace(
        Nested(),
        {"left": left},
        states,
        kwargs={"scale": tc.ones(2)},
        loss=lambda y: y["left"].sum(),
    )
    assert [n.name for _, n in chosen.graph.ops()] == ["linear", "mul", "sum"]


def test_an_output_that_is_no_tensor():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(tc.ones(2))

        def forward(self, x):
            return {"y": self.w * x, "steps": [3]}

    with pytest.raises(TypeError, match="the model returned a int, wanted a Tensor"):
        visualize.trace(Net(), tc.ones(2))


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda: visualize.trace(len, tc.ones(1)), TypeError, "expected a Module, got builtin"),
        (
            lambda: visualize.trace(nn.Linear(2, 2), tc.ones(1, 2), loss=lambda y: y),
            ValueError,
            r"the loss has shape \(1, 2\), wanted a scalar",
        ),
        (
            lambda: visualize.trace(nn.Linear(2, 2), tc.ones(1, 2), loss=lambda y: 3.0),
            TypeError,
            "the loss returned a float, wanted a Tensor",
        ),
    ],
)
def test_what_cannot_be_traced(run, error, words):
    with pytest.raises(error, match=words):
        run()


def test_views_and_in_place_ops_are_marked():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            y = self.fc(x)
            y += 1
            return F.relu(y.reshape(4), inplace=True)

    forms = {n.name: n.form for _, n in visualize.trace(Net(), tc.ones(2, 2)).graph.ops()}
    assert forms["linear"] == ""
    assert forms["add"] == forms["relu"] == "in place"
    assert forms["reshape"] == "view"


# --- Ops without gradients ------------------------------------------------------------------------


def described(graph):
    """Each op with the names of its inputs."""
    return [
        (node.name, [graph.nodes[edge.source].name for edge in graph.inputs(at)])
        for at, node in graph.ops()
    ]


def test_ops_before_the_first_parameter_are_drawn():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    graph = visualize.trace(model, tc.ones(3, 2, 2)).graph
    assert described(graph) == [
        ("reshape", ["input"]), ("linear", ["reshape", "1.weight", "1.bias"]), ("sum", ["linear"])
    ]  # fmt: skip
    flatten, linear, _ = [node for _, node in graph.ops()]
    assert (flatten.frozen, linear.frozen) == (True, False)
    assert (flatten.cluster, flatten.attributes) == ("0", {"shape": (3, 4)})
    assert flatten.measured.forward > 0


@pytest.mark.parametrize("phase", ["forward", "backward", "both"])
def test_a_frozen_model_has_no_backward_pass(nets, phase):
    model = nets.LeNet().requires_grad_(False)
    picture = visualize.trace(model, tc.ones(2, 1, 8, 8), phase=phase)
    ops = [node for _, node in picture.graph.ops()]
    assert [n.name for n in ops] == [
        "conv2d", "relu", "max_pool2d", "conv2d", "relu", "reshape", "linear"
    ]  # fmt: skip
    assert all(n.frozen and n.measured.grad_norm is None for n in ops)
    assert ops[3].attributes["stride"] == (2, 2)
    assert picture.graph.nodes[-1].name == "output"
    assert len(picture.steps) == 0
    assert not any(n.kind in ("vjp", "gradient") for n in picture.view.nodes)
    assert picture.source


def test_a_model_without_parameters_and_a_run_without_gradients():
    graph = visualize.trace(nn.Sequential(nn.Tanh(), nn.Softmax(-1)), tc.ones(2, 3)).graph
    assert [(n.name, n.cluster) for _, n in graph.ops()] == [("tanh", "0"), ("softmax", "1")]
    with tc.no_grad():
        graph = visualize.trace(nn.Linear(2, 2), tc.ones(1, 2)).graph
    assert described(graph) == [("linear", ["input", "weight", "bias"])]
    assert [n.kind for n in graph.nodes][:3] == ["constant", "parameter", "parameter"]


def test_a_frozen_layer_sends_no_gradient_to_its_parameters():
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    model[2].requires_grad_(False)
    picture = visualize.trace(model, tc.ones(1, 2), phase="backward")
    rows = [n.rows for n in picture.view.nodes if n.kind == "vjp" and n.name == "linear"]
    assert [len(r) for r in rows] == [0, 2]
    frozen = [n for n in picture.graph.nodes if n.name.startswith("2.")]
    assert [(n.kind, n.frozen) for n in frozen] == [("parameter", True)] * 2


def test_what_is_detached_keeps_its_origin():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            h = self.a(x)
            return self.b(h.detach()) * h

    picture = visualize.trace(Net(), tc.ones(1, 2))
    graph = picture.graph
    assert described(graph)[1] == ("linear", ["linear", "b.weight", "b.bias"])
    (edge,) = [e for e in graph.edges if e.kind == "detached"]
    assert (graph.nodes[edge.source].cluster, graph.nodes[edge.target].cluster) == ("a", "b")
    assert "style=dotted" in picture.source
    both = visualize.backward.backward(graph)
    arrows = [(both.nodes[e.source].cluster, both.nodes[e.target].cluster) for e in both.edges]
    assert ("b", "a") not in arrows


# --- Inputs ---------------------------------------------------------------------------------------


def test_a_skip_from_the_input_is_an_arrow_from_the_input():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, images):
            return self.fc(images) + images

    x, t = tc.ones(3, 2), tc.zeros(3, 2)
    picture = visualize.trace(Net(), x, loss=lambda y: F.mse_loss(y, t))
    assert ("add", ["linear", "images"]) in described(picture.graph)
    names = [n.name for n in picture.graph.nodes if n.kind == "constant" and n.value is None]
    assert names == ["images", "target"]
    assert picture.source.count("<B>images</B>") == 1


def test_dropout_is_one_box_with_its_mask():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    box = next(n for _, n in visualize.trace(model, tc.ones(1, 2)).graph.ops() if n.cluster == "1")
    assert (box.name, [s.name for s in box.saved]) == ("dropout", ["kept"])


def test_a_second_trace_and_a_pending_backward_see_no_difference():
    """Buffers that a run leaves alone are not written to."""
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).eval()
    pending = model(tc.ones(3, 2)).sum()
    first = visualize.trace(model, tc.ones(3, 2)).graph
    second = visualize.trace(model, tc.ones(3, 2)).graph
    assert [n.kept() for _, n in first.ops()] == [n.kept() for _, n in second.ops()]
    pending.backward()  # raises if what it saved was changed


def test_boxes_say_what_is_not_finite_and_what_is_in_place():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(tc.tensor([0.0, 1.0, -1.0]))

        def forward(self, x):
            return (self.w * x).log().add_(1)

    source = visualize.trace(Net(), tc.ones(3)).source
    assert "! 2 values not finite" in source
    assert "! 1 gradients not finite" in source
    assert source.count("in place</FONT>") == 1
