"""Activations and softmax against NumPy: values, both derivatives, float32, in place."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

(X,) = separated(np.random.default_rng(0), (3, 4), avoid=[0.0, 1.0])

ACTIVATIONS = [
    (F.relu, lambda x: np.maximum(x, 0)),
    (F.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    (F.tanh, np.tanh),
    (F.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    (lambda x: F.leaky_relu(x, 0.3), lambda x: np.where(x > 0, x, 0.3 * x)),
    (F.silu, lambda x: x / (1 + np.exp(-x))),
    (lambda x: F.softmax(x, -1), lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    (lambda x: F.log_softmax(x, 0), lambda x: x - np.log(np.exp(x).sum(0, keepdims=True))),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "formula"), ACTIVATIONS)
def test_forward_and_both_derivatives(fn, formula):
    np.testing.assert_allclose(fn(tc.tensor(X)).numpy(), formula(X), rtol=1e-12, atol=1e-14)
    check_vjp(fn, X)
    check_second_order(fn, X)


@pytest.mark.parametrize(("fn", "formula"), ACTIVATIONS)
def test_float32_stays(fn, formula):
    x = tc.tensor(X.astype(np.float32), requires_grad=True)
    y = fn(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == tc.float32


@pytest.mark.parametrize("fn", [F.relu, F.leaky_relu, F.silu])
def test_in_place_activations_change_their_input(fn):
    x = tc.tensor(X)
    y = fn(x, inplace=True)
    assert y is x
    np.testing.assert_array_equal(x.numpy(), fn(tc.tensor(X)).numpy())

    leaf = tc.tensor(X, requires_grad=True)
    hidden = leaf * 1.0
    fn(hidden, inplace=True).sum().backward()
    other = tc.tensor(X, requires_grad=True)
    fn(other).sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy(), other.grad.numpy(), rtol=1e-12)


def test_rrelu_in_place_draws_from_the_generator_it_is_given():
    x = tc.full((100,), -1.0)
    made = [
        F.rrelu_(x.clone(), 0.1, 0.9, training=True, generator=tc.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    ]
    assert made[0].equal(made[1])
    assert not made[0].equal(made[2])
    assert (-made[0]).min() >= 0.1
    assert (-made[0]).max() <= 0.9
    assert F.rrelu_(x, 0.25, 0.75) is x
    assert x[0].item() == -0.5


def test_hardshrink_writes_to_out():
    out = tc.zeros(2)
    assert F.hardshrink(tc.tensor([-1.0, 0.25]), out=out) is out
    assert out.tolist() == [-1.0, 0.0]


def test_the_name_in_an_error_is_of_the_function_that_was_called():
    for name in ("relu_", "elu_", "celu", "celu_", "selu_", "leaky_relu_", "relu6", "hardtanh_"):
        with pytest.raises(NotImplementedError, match=f'"{name}" not implemented for torch.bool'):
            getattr(F, name)(tc.ones(2).bool())


@pytest.mark.parametrize("fn", [F.softmax, F.log_softmax, F.softmin])
def test_the_warning_about_a_missing_dim_points_at_the_call(fn):
    with pytest.warns(UserWarning, match="Implicit dimension choice") as caught:
        fn(tc.ones(2, 2))
    assert caught[0].filename == __file__
