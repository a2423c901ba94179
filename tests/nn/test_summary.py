"""summary: shapes, counts and saved bytes, by hand and on ones; the model stays unchanged."""

import re

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import nn
from tinygrad_cnn.engine import registry
from tinygrad_cnn.nn.summary import MULTIPLY_ADDS
from tinygrad_cnn.utils.checkpoint import checkpoint


class LeNet(nn.Module):
    """Layers and functions mixed, as in users' models."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Of(nn.Module):
    """A function as a module."""

    def __init__(self, function, *parts):
        super().__init__()
        self.function, self.parts = function, nn.ModuleList(parts)

    def forward(self, *xs):
        return self.function(*self.parts, *xs)


def test_lenet():
    found = nn.summary(LeNet(), (1, 1, 28, 28))
    assert [row.name for row in found.rows] == ["", "conv1", "conv2", "fc1", "fc2", "fc3"]
    assert [row.type for row in found.rows][:2] == ["LeNet", "Conv2d"]
    assert [row.output_shape for row in found.rows] == [
        (1, 10), (1, 6, 28, 28), (1, 16, 10, 10), (1, 120), (1, 84), (1, 10),
    ]  # fmt: skip
    assert [row.parameters for row in found.rows] == [0, 156, 2416, 48120, 10164, 850]
    assert [row.multiply_adds for row in found.rows] == [0, 117600, 240000, 48000, 10080, 840]
    assert (found.parameters, found.trainable, found.multiply_adds) == (61706, 61706, 416520)
    assert found.parameter_bytes == 4 * 61706
    assert found.saved == sum(row.saved for row in found.rows)
    lines = str(found).splitlines()
    assert lines[3] == "conv1  Conv2d  (1, 6, 28, 28)          156        117,600   3.1 KiB"
    assert lines[-4:-1] == [
        "Input          (1, 1, 28, 28)", "Parameters     61,706, 241.0 KiB",
        "Multiply-adds  416,520",
    ]  # fmt: skip


# --- Counts: of ones, y sums up to the number of products -------------------------------------------

sizes = st.integers(1, 4)


@given(st.data())
def test_multiply_adds_are_the_products(data):
    n, i, o, k, h, w, groups = (data.draw(sizes) for _ in range(7))
    stride = data.draw(st.integers(1, 2))
    image, dense = tc.ones(n, i * groups, h + k, w + k), tc.ones(n, h, i)
    weights = {
        "conv": tc.ones(o * groups, i, k, 1), "transposed": tc.ones(i * groups, o, k, k),
        "linear": tc.ones(o, i), "matmul": tc.ones(n, i, o), "broadcast": tc.ones(w, 1, i, o),
        "vector": tc.ones(i), "matrix": tc.ones(k, h),
    }  # fmt: skip
    calls = {
        "conv": lambda w, x: F.conv2d(image, w, stride=stride, groups=groups),
        "linear": lambda w, x: F.linear(x, w), "matmul": lambda w, x: x @ w,
        "broadcast": lambda w, x: x @ w, "vector": lambda w, x: x @ w, "matrix": lambda w, x: w @ x,
    }  # fmt: skip
    if hasattr(F, "conv_transpose2d"):
        calls["transposed"] = lambda w, x: F.conv_transpose2d(
            image, w, stride=stride, groups=groups
        )
    for name, call in calls.items():
        for tracked in (True, False):
            weight = weights[name].requires_grad_(tracked)
            found = nn.summary(Of(call), (weight, dense))
            assert found.multiply_adds == call(weight, dense).sum().item(), name


def test_einsum_of_two_is_counted():
    for subscripts, a, b in [("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("ij,kj->ki", (3, 4), (5, 4))]:
        layer = Of(lambda x, y, s=subscripts: tc.einsum(s, x, y))
        x, y = tc.ones(*a, requires_grad=True), tc.ones(*b)
        assert nn.summary(layer, (x, y)).multiply_adds == tc.einsum(subscripts, x, y).sum().item()


def test_every_op_that_multiplies_matrices_is_counted():
    pattern = "conv|linear$|matmul|contract|attention|einsum|mm$|^rnn$|^lstm$|^gru$"
    wanted = {name for name in registry if re.search(pattern, name)}
    assert {name for name in wanted if not name.endswith("_weight")} <= MULTIPLY_ADDS.keys()


@pytest.mark.parametrize("kind, gates", [("RNN", 1), ("LSTM", 4), ("GRU", 3)])
def test_a_recurrent_layer_has_two_products_a_step(kind, gates):
    both = getattr(nn, kind)(3, 5, bidirectional=True, bias=kind == "RNN")
    assert nn.summary(both, (7, 2, 3)).multiply_adds == 2 * 7 * 2 * gates * 5 * (3 + 5)
    cell = getattr(nn, f"{kind}Cell")(3, 5)
    assert nn.summary(cell, (2, 3)).multiply_adds == 2 * gates * 5 * (3 + 5)


def test_shared_and_frozen_parameters_and_repeated_calls():
    shared = nn.Linear(3, 3)
    tied = nn.Linear(3, 3, bias=False)
    tied.weight = shared.weight
    frozen = nn.Linear(3, 2).requires_grad_(False)
    unused = nn.Linear(7, 7)
    model = Of(lambda a, b, c, d, x: c(b(a(a(x)))), shared, tied, frozen, unused)
    found = nn.summary(model, (5, 3))
    _, _, one, two, three, four = found.rows
    assert (one.parameters, one.calls, one.multiply_adds) == (12, 2, 90)
    assert (two.parameters, two.calls, two.multiply_adds) == (0, 1, 45)
    assert (three.parameters, three.trainable, three.multiply_adds) == (8, 0, 30)
    assert (four.parameters, four.calls, four.output_shape) == (56, 0, None)
    text = str(found)
    assert "Linear ×2" in text
    assert "not called" in text
    assert "Parameters     76 (68 trainable, 8 frozen), 304 B" in text


def test_a_module_under_two_names_is_one_row():
    part = nn.ReLU()
    found = nn.summary(nn.Sequential(part, part), (2, 2))
    assert [(row.name, row.calls) for row in found.rows] == [("", 1), ("0", 2)]


# --- Saved bytes ----------------------------------------------------------------------------------


def test_each_storage_counts_once_and_parameters_do_not():
    x = tc.ones(10, 20)  # 800 bytes
    linear, relu, twice = nn.Linear(20, 20), nn.ReLU(), Of(lambda x: x * x)
    found = nn.summary(nn.Sequential(linear, relu, twice), x)
    # the input, and the output of relu, which the product also saves
    assert [row.saved for row in found.rows][1:4] == [800, 800, 0]
    assert found.saved == 1600
    with tc.no_grad():
        assert nn.summary(nn.Sequential(linear, relu), x).saved == 1600, "the mode does not matter"
    linear.requires_grad_(False)
    assert nn.summary(nn.Sequential(linear, relu, twice), x).saved == 0


def test_a_view_keeps_all_that_it_shows():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(tc.ones(2))

        def forward(self, x):
            return (x + 0.0)[0] * self.weight

    assert nn.summary(Part(), tc.ones(100, 2)).saved == 800


def test_checkpoints_keep_less():
    parts = [nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU()]
    plain = nn.Sequential(*parts)
    saving = Of(lambda *a: checkpoint(plain, a[-1]), *parts)
    x = tc.ones(8, 50)
    a, b = nn.summary(plain, x), nn.summary(saving, x)
    assert b.saved < a.saved
    assert b.multiply_adds == a.multiply_adds


# --- Inputs and outputs -------------------------------------------------------------------------------


def test_inputs():
    add = Of(lambda x, y: x + y)
    x, y = tc.ones(2, 3), np.ones((2, 3), np.float32)
    for given_ in [(x, y), [x, (2, 3)], ((2, 3), (1, 3)), [[2, 3], y]]:
        assert nn.summary(add, given_).rows[0].output_shape == (2, 3)
    assert nn.summary(add, (x, y)).input_shapes == ((2, 3), (2, 3))
    assert nn.summary(nn.Linear(3, 2).double(), (4, 3)).rows[0].output_shape == (4, 2)
    assert nn.summary(nn.Flatten(), x.shape).rows[0].output_shape == (2, 3)
    for wrong in (3, "x", None, [x, "y"]):
        with pytest.raises(TypeError, match="wanted a Tensor, sizes, or a tuple of them"):
            nn.summary(add, wrong)
    with pytest.raises(TypeError, match="wanted a Module, got function"):
        nn.summary(lambda x: x, x)


def test_outputs_of_any_form():
    found = nn.summary(Of(lambda x: {"a": (x, [x[0]]), "b": None}), tc.ones(2, 3))
    assert found.rows[0].output_shape == {"a": [(2, 3), [(3,)]], "b": None}
    assert "{a: (2, 3), (3,), b: }" in str(found)


# --- No trace -----------------------------------------------------------------------------------------


class Fails(nn.Module):
    def forward(self, x):
        if self.training:
            raise RuntimeError("not now")
        return x


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_the_model_stays_as_it_was(fails, training):
    norm, calls = nn.BatchNorm2d(3), []
    model = nn.Sequential(nn.Conv2d(2, 3, 3), norm, nn.Dropout(0.5), Fails())
    model.train(training)
    model[3].train(fails)
    model[0].register_forward_hook(lambda *_: calls.append(1))
    earlier = model[:2](tc.ones(1, 2, 5, 5)).sum()  # a graph that may have saved the buffers
    model.zero_grad()
    buffers = {name: (b, b.clone()) for name, b in model.named_buffers()}
    random, hooks = tc.get_rng_state(), [vars(m).get("_hooks") for m in model.modules()]
    calls.clear()
    if fails:
        with pytest.raises(RuntimeError, match="not now"):
            nn.summary(model, (4, 2, 5, 5))
    else:
        nn.summary(model, (4, 2, 5, 5))
    assert calls == [1], "the hooks of the model are part of it"
    assert (tc.get_rng_state() == random).all()
    assert [vars(m).get("_hooks") for m in model.modules()] == hooks
    assert len(model[0]._hooks.after) == 1
    assert not model[0]._hooks.before
    for name, b in model.named_buffers():
        assert b is buffers[name][0]
        assert b.equal(buffers[name][1])
    assert all(p.grad is None for p in model.parameters())
    assert norm.training is training
    earlier.backward()
