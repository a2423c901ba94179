"""autograd.functional: Jacobians, Hessians and products with them."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.autograd import functional
from tinygrad_cnn.autograd.function import Function, once_differentiable
from tinygrad_cnn.testing import separated_arrays


def f(x, w):
    return tc.tanh(x @ w), (x * x).sum()


def scalar(x, w):
    return (tc.sin(x @ w) ** 2).sum() + (x**3).sum()


arrays = st.tuples(separated_arrays((2, 3)), separated_arrays((3, 2)))


@given(arrays, arrays, st.booleans())
def test_products_are_those_with_the_whole_jacobian(points, vs, create_graph):
    points, vs = tuple(map(tc.tensor, points)), tuple(map(tc.tensor, vs))
    jacobian = functional.jacobian(f, points, create_graph=create_graph)
    outputs, pushed = functional.jvp(f, points, vs, create_graph=create_graph)
    for k, y in enumerate(outputs):
        expected = sum(
            (part.detach().numpy() * v.numpy()).reshape(*y.shape, -1).sum(-1)
            for part, v in zip(jacobian[k], vs, strict=True)
        )
        np.testing.assert_allclose(pushed[k].detach().numpy(), expected, atol=1e-9)
        u = tuple(tc.ones(z.shape, dtype=z.dtype) * (k == j) for j, z in enumerate(outputs))
        for part, pulled in zip(jacobian[k], functional.vjp(f, points, u)[1], strict=True):
            summed = part.detach().numpy().reshape(-1, *pulled.shape).sum(0)
            np.testing.assert_allclose(pulled.numpy(), summed, atol=1e-9)


@given(arrays, arrays)
def test_the_hessian_is_symmetric_and_hvp_its_product(points, vs):
    points, vs = tuple(map(tc.tensor, points)), tuple(map(tc.tensor, vs))
    rows = functional.hessian(scalar, points)
    whole = np.block([[part.numpy().reshape(6, 6) for part in row] for row in rows])
    np.testing.assert_allclose(whole, whole.T, atol=1e-9)
    v = np.concatenate([x.numpy().ravel() for x in vs])
    for product in (functional.hvp, functional.vhp):
        y, found = product(scalar, points, vs)
        np.testing.assert_allclose(y.item(), scalar(*points).item())
        np.testing.assert_allclose(
            np.concatenate([x.numpy().ravel() for x in found]), whole @ v, atol=1e-9
        )


def test_results_can_be_differentiated_with_create_graph_alone():
    x = tc.tensor([0.5, 1.5], requires_grad=True)
    assert not functional.jacobian(tc.sin, x).requires_grad
    functional.jacobian(tc.sin, x, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), -np.sin([0.5, 1.5]), rtol=1e-6)
    functional.hessian(lambda x: (x**3).sum(), x, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 - np.sin([0.5, 1.5]), rtol=1e-6)


def test_what_does_not_depend_on_an_input_is_zeros_or_an_error_when_strict():
    x, y = tc.ones(2), tc.ones(3)
    assert functional.jacobian(lambda x, y: x * 2.0, (x, y))[1].tolist() == [[0.0] * 3] * 2
    assert functional.hessian(lambda x: x.sum(), x).tolist() == [[0.0] * 2] * 2
    assert functional.jacobian(lambda x: x[:0], x).shape == (0, 2)
    for call in (
        lambda: functional.jacobian(lambda x, y: x * 2.0, (x, y), strict=True),
        lambda: functional.vjp(lambda x: x.detach(), x, x, strict=True),
        lambda: functional.hessian(lambda x: x.sum(), x, strict=True),
    ):
        with pytest.raises(RuntimeError, match="not allowed in strict mode|running in strict mode"):
            call()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: functional.vjp(lambda x: x, x), RuntimeError, "v can only be None if the user"),
        (lambda x: functional.jvp(lambda x: x, x), RuntimeError, "v can only be None if the input"),
        (lambda x: functional.vjp(lambda x: x, x, tc.ones(3)), RuntimeError, "v has invalid size"),
        (lambda x: functional.vjp(lambda x: x, x, (x, x)), RuntimeError, "v is of invalid length"),
        (lambda x: functional.vjp(lambda x: 1, x, x), TypeError, "outputs of the user-provided"),
        (lambda x: functional.jacobian(lambda x: x, 1.0), TypeError, "inputs given to jacobian"),
        (lambda x: functional.hessian(lambda x: x, x), RuntimeError, "contain a single element"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(tc.ones(2))


def test_once_differentiable():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            assert not tc.is_grad_enabled()
            return 2.0 * g * ctx.saved_tensors[0]

    x = tc.tensor([3.0], requires_grad=True)
    Square.apply(x).backward()
    assert x.grad.tolist() == [6.0]
    (g,) = tc.autograd.grad(Square.apply(x), x, create_graph=True)
    assert g.tolist() == [6.0]
    with pytest.raises(RuntimeError, match="differentiate twice a function that was marked"):
        g.backward()
