"""Transforms of functions: graphs that are kept or not, memory, modules and draws. The grid has values."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn import func, nn
from tinygrad_cnn.testing import assert_no_leak

X = tc.tensor([1.0, -2.0, 0.5])


def cube(x):
    return (x**3).sum()


@pytest.mark.parametrize("call", [
    lambda x: func.grad(cube)(x), lambda x: func.grad_and_value(cube)(x)[1],
    lambda x: func.vjp(lambda y: y * y, x)[0], lambda x: func.vjp(lambda y: y * y, x)[1](X)[0],
    lambda x: func.jvp(lambda y: y * y, (x,), (X,))[1], lambda x: func.jacrev(lambda y: y * y)(x),
    lambda x: func.hessian(cube)(x), lambda x: func.grad(cube, has_aux=False)(x),
    lambda x: func.grad(lambda y: (cube(y), y * 2), has_aux=True)(x)[1],
])  # fmt: skip
def test_results_have_a_graph_only_if_something_outside_requires_grad(call):
    y = call(X)
    assert not y.requires_grad
    y.numpy()
    x = X.clone().requires_grad_()
    assert call(x).requires_grad
    with tc.no_grad():
        assert not call(x).requires_grad
    assert x.grad is None


def test_gradients_reach_tensors_that_the_function_captures():
    w = tc.ones(3, requires_grad=True)
    y = func.grad(lambda x: (x**2 * w).sum())(X)
    y.sum().backward()
    assert w.grad.tolist() == (2 * X).tolist()


def test_a_graph_outside_is_not_freed():
    w = tc.ones(3, requires_grad=True)
    h = w.exp()
    func.grad(lambda x: (x**2 * h).sum())(X)
    with tc.no_grad():
        func.grad(lambda x: (x**2 * h).sum())(X)
    h.sum().backward()
    assert w.grad is not None


def test_the_pull_back_may_run_several_times():
    _, pull = func.vjp(lambda x: x.exp(), X)
    first, second = pull(tc.ones(3))[0], pull(2 * tc.ones(3))[0]
    assert (2 * first).tolist() == second.tolist()


def test_no_grad_inside_the_function_is_respected():
    def f(x):
        with tc.no_grad():
            y = x * x
        return (y * x).sum()

    assert func.grad(f)(X).tolist() == (X * X).tolist()


def test_nothing_leaks():
    def run():
        func.hessian(cube)(X)
        func.vmap(func.grad(cube))(tc.ones(2, 3))

    run()
    assert_no_leak(run)


def test_a_module_is_as_before_after_an_error():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    before = [net[0].weight, net[1].weight]
    with pytest.raises(RuntimeError):
        func.functional_call(net, {"0.weight": tc.ones(2, 3), "1.weight": tc.ones(5, 5)}, X)
    assert [net[0].weight, net[1].weight] == before or all(
        a is b for a, b in zip(before, (net[0].weight, net[1].weight), strict=True)
    )
    assert isinstance(net[0].weight, nn.Parameter)


def test_gradients_of_each_sample():
    tc.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    weights = {name: p.detach() for name, p in net.named_parameters()}

    def loss(weights, x, t):
        return (func.functional_call(net, weights, x) - t).square().sum()

    x, t = tc.randn(5, 3), tc.randn(5, 1)
    each = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(weights, x, t)
    (net(x) - t).square().sum().backward()
    for name, p in net.named_parameters():
        assert tuple(each[name].shape) == (5, *p.shape)
        np.testing.assert_allclose(each[name].sum(0).numpy(), p.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_a_step_of_training_without_a_state():
    net = nn.Linear(3, 1)
    weights = {name: p.detach() for name, p in net.named_parameters()}
    x, t = tc.eye(3), tc.ones(3, 1)
    step = func.grad_and_value(lambda w: (func.functional_call(net, w, x) - t).square().mean())
    losses = []
    for _ in range(50):
        gradients, loss = step(weights)
        losses.append(loss.item())
        weights = {name: w - 0.3 * gradients[name] for name, w in weights.items()}
    assert losses[-1] < 0.05 * losses[0]


def test_draws_of_each_sample():
    noisy = lambda x: x + tc.rand(())  # noqa: E731
    zeros = tc.zeros(4)
    tc.manual_seed(0)
    same = func.vmap(noisy, randomness="same")(zeros)
    assert len(set(same.tolist())) == 1
    different = func.vmap(noisy, randomness="different")(zeros)
    assert len(set(different.tolist())) == 4
    with pytest.raises(RuntimeError, match="randomness error mode"):
        func.vmap(noisy)(zeros)


def test_ensembles():
    models = [nn.Linear(2, 1) for _ in range(3)]
    parameters, buffers = func.stack_module_state(models)
    assert parameters["weight"].is_leaf
    assert buffers == {}
    x = tc.ones(4, 2)
    y = func.vmap(lambda p: func.functional_call(models[0], p, x))(parameters)
    y.sum().backward()
    assert tuple(parameters["weight"].grad.shape) == (3, 1, 2)
    np.testing.assert_allclose(y[2].detach().numpy(), models[2](x).detach().numpy(), rtol=1e-6)
    with pytest.raises(RuntimeError, match="at least one model"):
        func.stack_module_state([])
    with pytest.raises(RuntimeError, match="same class"):
        func.stack_module_state([nn.Linear(2, 1), nn.ReLU()])


def test_float16_and_empty():
    half = tc.tensor([1.0, 2.0], dtype=tc.float16)
    assert func.grad(cube)(half).dtype == tc.float16
    assert tuple(func.grad(cube)(tc.zeros(0)).shape) == (0,)
    assert tuple(func.jacrev(lambda x: x[:0])(X).shape) == (0, 3)
    with pytest.raises(ValueError, match="size 0"):
        func.vmap(cube)(tc.zeros(0, 3))
