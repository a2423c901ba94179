"""Recurrent ops: what they save and return; the strategies prove their derivatives."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import ops
from tinygrad_cnn.engine import registry

RNG = np.random.default_rng(0)


def normal(*shape, dtype=np.float64, grad=True):
    return tc.tensor(RNG.standard_normal(shape).astype(dtype), requires_grad=grad)


def call(kind, dtype=np.float64, sizes=(3, 3, 1), I=4, H=5, **grad):
    """(op's inputs, output) of a forward pass."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kind]
    states = [normal(sizes[0], H, dtype=dtype, **grad) for _ in range(2 if kind == "lstm" else 1)]
    shapes = [(gates * H, I), (gates * H, H), (gates * H,), (gates * H,)]
    inputs = [normal(sum(sizes), I, dtype=dtype, **grad), *states]
    inputs += [normal(*s, dtype=dtype, **grad) for s in shapes]
    how = {"relu": False} if kind == "rnn" else {}
    return inputs, getattr(ops, kind)(*inputs, sizes=sizes, reverse=False, **how)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_float16_is_computed_in_float32_and_rounded_once(kind):
    inputs, y = call(kind, np.float16)
    assert y.dtype == tc.float16
    wide = [tc.tensor(x.detach().numpy().astype(np.float32), requires_grad=True) for x in inputs]
    how = {"relu": False} if kind == "rnn" else {}
    z = getattr(ops, kind)(*wide, sizes=(3, 3, 1), reverse=False, **how)
    assert (y.detach().numpy() == z.detach().numpy().astype(np.float16)).all()
    y.sum().backward()
    z.sum().backward()
    for x, w in zip(inputs, wide, strict=True):
        assert x.grad.dtype == tc.float16
        np.testing.assert_allclose(x.grad.numpy(), w.grad.numpy(), rtol=4e-3, atol=4e-3)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_nothing_is_recorded_without_gradients(kind):
    _, y = call(kind, grad=False)
    assert y.grad_fn is None


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_the_loop_back_runs_once_for_all_gradients(kind, monkeypatch):
    runs = []
    kernel = getattr(ops.recurrent.kernels, f"{kind}_input")
    name = f"{kind}_input"
    monkeypatch.setattr(
        ops.recurrent.kernels, name, lambda *args: (runs.append(name), kernel(*args))[1]
    )
    _, y = call(kind)
    y.sum().backward()
    assert runs == [name]


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_the_composite_serves_second_derivatives_of_packed_sequences(kind):
    """Of float32 and a graph of the gradient of a graph."""
    inputs, y = call(kind, np.float32)
    (g,) = tc.autograd.grad((y * y).sum(), [inputs[0]], create_graph=True)
    (second,) = tc.autograd.grad((g * g).sum(), [inputs[-3]])
    assert second.dtype == tc.float32
    assert np.isfinite(second.numpy()).all()
    assert registry[kind].composite is not None


def test_relu_at_its_kink_and_for_nan():
    x = tc.tensor([[0.0], [-1.0], [2.0], [np.nan]], requires_grad=True)
    h, w, z = tc.zeros(4, 1), tc.ones(1, 1), tc.zeros(1, 1)
    y = ops.rnn(x, h, w, z, sizes=(4,), reverse=False, relu=True)
    y.sum().backward()
    assert y[:3].tolist() == [[0.0], [0.0], [2.0]]
    assert np.isnan(y[3].item())
    assert x.grad.tolist()[:3] == [[0.0], [0.0], [1.0]]
