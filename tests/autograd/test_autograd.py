"""grad, Function, anomaly mode."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.autograd import Function, detect_anomaly, grad


def leaf(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return tc.tensor(rng.standard_normal(shape), requires_grad=True)


# --- grad ---


def test_grad_touches_no_grad_attribute_and_takes_non_leaves():
    x = leaf(3)
    y = x * 2.0
    gy, gx = grad((y * y).sum(), [y, x])
    np.testing.assert_allclose(gy.numpy(), 2 * y.detach().numpy())
    np.testing.assert_allclose(gx.numpy(), 2 * gy.numpy())
    assert x.grad is None


def test_grad_runs_only_the_vjps_that_lead_to_its_inputs():
    x, w = leaf(3), leaf(3)
    ran = []

    class Log(tc.Observer):
        def vjp_ran(self, node, g, gradients):
            ran.append((node.op.name, [v is not None for v in gradients]))

    loss = ((x * 2.0) * (w.exp())).sum()
    with tc.observe(Log()):
        grad(loss, w)
    assert ran == [("sum", [True]), ("mul", [False, True]), ("exp", [True])]


def test_unused_inputs():
    x, z = leaf(3), leaf(2)
    with pytest.raises(
        RuntimeError, match="^One of the differentiated Tensors appears to not have"
    ):
        grad((x * 1.0).sum(), [x, z])
    assert grad((x * 1.0).sum(), [x, z], allow_unused=True)[1] is None
    assert grad((x * 1.0).sum(), z, materialize_grads=True)[0].tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match="does not require grad"):
        grad((x * 1.0).sum(), tc.ones(1))


def test_grad_outputs():
    x = leaf(3)
    v = tc.tensor([1.0, 2.0, 3.0], dtype=tc.float64)
    (g,) = grad(x * x, x, v)
    np.testing.assert_allclose(g.numpy(), 2 * x.detach().numpy() * v.numpy())
    assert not np.shares_memory(g._array, v._array)
    with pytest.raises(RuntimeError, match="got 1 tensors and 2 gradients"):
        grad(x * x, x, (v, v))


def test_several_outputs():
    x = leaf(3)
    g = grad([x.sum(), (x * x).sum()], x)[0]
    np.testing.assert_allclose(g.numpy(), 1 + 2 * x.detach().numpy())


def test_gradient_penalty_through_a_network_differentiates():
    x, w = leaf(2, 1, 5, 5), leaf(3, 1, 3, 3)
    score = tc.nn.functional.conv2d(x, w).tanh().sum()
    (gx,) = grad(score, x, create_graph=True)
    penalty = ((gx * gx).sum((1, 2, 3)).sqrt() - 1.0).square().mean()
    (gw,) = grad(penalty, w)
    step = 1e-6 * np.sign(gw.numpy())

    def value(weight):
        s = tc.nn.functional.conv2d(x, tc.tensor(weight)).tanh().sum()
        (g,) = grad(s, x)
        return float((((g * g).sum((1, 2, 3)).sqrt() - 1.0).square().mean()).item())

    slope = (value(w.detach().numpy() + step) - value(w.detach().numpy() - step)) / 2
    assert slope == pytest.approx(float((gw.numpy() * step).sum()), rel=1e-6)


# --- Function ---


class Swish(Function):
    @staticmethod
    def forward(ctx, x, beta):
        ctx.save_for_backward(x)
        ctx.beta = beta
        return x * tc.sigmoid(beta * x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        s = tc.sigmoid(ctx.beta * x)
        return g * (s + ctx.beta * x * s * (1.0 - s)), None


class Extremes(Function):
    @staticmethod
    def forward(ctx, x):
        y = tc.clamp(x, min=0.0)
        ctx.save_for_backward(x, y)
        return y, tc.clamp(x, max=0.0)

    @staticmethod
    def backward(ctx, up, down):
        x, _ = ctx.saved_tensors
        return tc.where(x > 0, up, down)


def test_a_function_and_its_second_derivative():
    x = leaf(4)
    y = Swish.apply(x, 1.5)
    assert y.grad_fn.name() == "SwishBackward0"
    (g,) = grad(y.sum(), x, create_graph=True)
    plain = (x * tc.sigmoid(1.5 * x)).sum()
    (h,) = grad(plain, x, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), h.detach().numpy())
    np.testing.assert_allclose(grad(g.sum(), x)[0].numpy(), grad(h.sum(), x)[0].numpy())


def test_a_function_with_several_outputs():
    x = leaf(5)
    up, down = Extremes.apply(x)
    (3.0 * up + 7.0 * down).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.where(x.detach().numpy() > 0, 3.0, 7.0))
    x.grad = None
    up, _ = Extremes.apply(x)  # the other output unused: its gradient is zeros
    up.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), (x.detach().numpy() > 0) * 1.0)


def test_functions_that_misbehave_are_named():
    class Short(Function):
        forward = staticmethod(lambda ctx, x, y: x * y)
        backward = staticmethod(lambda ctx, g: g)

    class Untensored(Function):
        forward = staticmethod(lambda ctx, x: 1.0)

    with pytest.raises(RuntimeError, match="Short.backward returned an incorrect number of grad"):
        Short.apply(leaf(2), leaf(2)).sum().backward()
    with pytest.raises(TypeError, match="Untensored.forward must return Tensors, got float"):
        Untensored.apply(leaf(2))


def test_what_a_function_saved_is_freed_and_guarded():
    x = leaf(3)
    y = Swish.apply(x * 1.0, 1.0).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="^Trying to backward through the graph a second time"):
        y.backward()
    z = x * 1.0
    y = Swish.apply(z, 1.0).sum()
    z.mul_(2.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_a_function_under_no_grad_records_nothing():
    with tc.no_grad():
        assert not Swish.apply(leaf(3), 1.0).requires_grad


# --- anomaly mode ---


def test_anomaly_mode_names_the_op_its_shapes_and_the_line():
    x = tc.zeros(2, 3, requires_grad=True)
    with (
        detect_anomaly(),
        pytest.raises(
            RuntimeError,
            match=r"log made 6 infinite or NaN values of 6.*\(2, 3\).*test_autograd.py:\d+",
        ),
    ):
        tc.log(x)


def test_anomaly_mode_names_the_vjp():
    x = tc.zeros(3, requires_grad=True)
    with detect_anomaly():
        y = tc.sqrt(x).sum()
        with pytest.raises(
            RuntimeError, match=r"the vjp of sqrt for x made 3 infinite.*test_autograd.py:\d+"
        ):
            y.backward()
    assert x.grad is None


def test_anomaly_mode_passes_on_what_was_not_finite_before():
    x = tc.tensor([float("inf")], requires_grad=True)
    with detect_anomaly():
        (x * 2.0).sum().backward()


def test_anomaly_mode_lets_the_user_give_an_infinity():
    """A mask of −∞ is a number, an attribute or a Tensor: none is made by the op."""
    x = tc.ones(2, 3, requires_grad=True)
    mask = tc.tensor([[True, False, False]])
    with detect_anomaly():
        x.masked_fill(mask, float("-inf")).softmax(1).sum().backward()
        assert (tc.ones(2) * float("-inf")).isinf().all()
        tc.nn.functional.pad(x, (1, 1), value=float("-inf"))
        tc.where(mask, float("-inf"), x)
        with pytest.raises(RuntimeError, match="1 infinite or NaN value of 1"):
            tc.ones(1) / 0.0


def test_anomaly_mode_catches_a_write_behind_our_back():
    array = np.ones(3)
    x = tc.from_numpy(array).requires_grad_()
    with detect_anomaly():
        y = (x * x).sum()
        array[0] = 5.0
        with pytest.raises(RuntimeError, match="the array `a` that mul saved at .* was written to"):
            y.backward()


# --- PyTorch's forms of a call ---


class Power(Function):
    """xⁿ, with the exponent as a setting."""

    @staticmethod
    def forward(ctx, x, n=2):
        ctx.n = n
        ctx.save_for_backward(x)
        return x**n

    @staticmethod
    def backward(ctx, *grad_outputs):
        (x,) = ctx.saved_tensors
        return grad_outputs[0] * ctx.n * x ** (ctx.n - 1), None


class WithSetup(Function):
    """xⁿ, with a forward that takes no ctx."""

    @staticmethod
    def forward(x, n=2):
        return x**n

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.n = inputs
        ctx.save_for_backward(x)

    backward = Power.backward


@pytest.mark.parametrize("function", [Power, WithSetup])
def test_apply_takes_keywords_and_defaults(function):
    x = leaf(3)
    assert function.apply(x, n=3).equal(x**3)
    assert function.apply(x).equal(x**2)
    assert grad(function.apply(x).sum(), x)[0].equal(2 * x)
    np.testing.assert_allclose(grad(function.apply(x, n=3).sum(), x)[0], 3 * x.detach() ** 2)
    with pytest.raises(TypeError, match="unexpected keyword argument 'm'"):
        function.apply(x, m=3)


def test_a_keyword_that_requires_grad_is_not_dropped_silently():
    with pytest.raises(
        TypeError, match=r"Power.apply\(\): x requires grad: pass it as a positional"
    ):
        Power.apply(x=leaf(3))


def test_backward_takes_the_old_name_of_the_cotangents():
    x, g = leaf(3), tc.tensor([1.0, 2.0, 3.0], dtype=tc.float64)
    with pytest.warns(FutureWarning, match="`grad_variables` is deprecated") as caught:
        tc.autograd.backward(x * 2.0, grad_variables=g)
    assert caught[0].filename == __file__
    assert x.grad.equal(2 * g)
    with (
        pytest.warns(FutureWarning),
        pytest.raises(RuntimeError, match="both passed to `backward"),
    ):
        tc.autograd.backward(x * 2.0, g, grad_variables=g)


def test_decorators_take_the_function_by_name_or_by_place():
    def recorded():
        return tc.is_grad_enabled()

    assert tc.no_grad(orig_func=recorded)() is False
    assert tc.no_grad()(orig_func=recorded)() is False
    with tc.no_grad():
        assert tc.enable_grad(recorded)() is True


@pytest.mark.parametrize("create_graph", [False, True])
def test_grad_sets_the_gradients_that_are_retained_on_the_way(create_graph):
    x = tc.tensor([1.0, 2.0], requires_grad=True)
    y, unused = x * 3.0, x * 5.0
    for t in (y, unused):
        t.retain_grad()
    tc.autograd.grad((y * y).sum(), x, create_graph=create_graph)
    assert y.grad.tolist() == [6.0, 12.0]
    assert y.grad.requires_grad == create_graph
    assert unused.grad is None
    assert x.grad is None
    (h,) = tc.autograd.grad((y * y).sum(), y)
    assert y.grad.tolist() == [12.0, 24.0]
    h.add_(1.0)
    assert y.grad.tolist() == [12.0, 24.0]
