"""The tester is tested: what is right passes, what is wrong fails and is named, noise is noise."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn import ops
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import (
    Call,
    GradientError,
    check_adjoint,
    check_kink,
    check_op,
    check_second_order,
    check_vjp,
    numerical_jvp,
    strategy_for,
    taylor_slope,
)
from tinygrad_cnn.testing.calls import snippet
from tinygrad_cnn.testing.values import FixedRandom, separated, signed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))


def with_backward(forward, backward):
    """A function with this backward(g, x)."""

    class Custom(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return Custom.apply


# --- What is right passes -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_right_functions_pass(seed):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    for fn in (
        lambda x, w: tc.tanh(x @ w),
        lambda x, w: tc.softmax(x @ w, 1),
        lambda x, w: ((x @ w) * 3.0).exp().sum(0),
        lambda x, w: (x.sum(), w.sin()),
        lambda x, w: x.sum() + (w * 0.0).sum(),
    ):
        check_vjp(fn, x, w, seed=seed)
        check_second_order(fn, x, w, seed=seed)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_low_precision_is_differenced_on_a_float64_copy(dtype):
    check_vjp(lambda x: tc.sigmoid(x) * x, X.astype(dtype))


def test_tensors_and_other_arguments_are_taken_as_they_are():
    check_vjp(lambda x, k, dim: (x * k).sum(dim), tc.tensor(X), 3.0, 1)


def test_scalars_and_empty_arrays():
    check_vjp(tc.exp, np.array(0.3))
    check_vjp(lambda x, w: x @ w, np.zeros((0, 3)), np.ones((3, 2)))


def test_infinite_outputs_that_do_not_move_count_as_constant():
    check_vjp(lambda x: tc.log(tc.relu(x)), np.array([-1.0, 2.0]))


def test_subnormal_numbers_are_no_reason_to_fail():
    x = np.array([-1.23021323, 0.54097352])
    for factor in (2.2250738585e-313, 5e-324, 3e-308):
        check_adjoint(lambda x, f=factor: x * f, x)
        check_vjp(lambda x, f=factor: x.sin() * f, x)
    check_adjoint(lambda x: x * 1e-40, x.astype(np.float32))


# --- What is wrong fails ------------------------------------------------------------------------


def test_a_vjp_that_is_off_by_half_a_thousandth_fails():
    fn = with_backward(lambda x: x.sin(), lambda g, x: g * x.cos() * 1.0005)
    for seed in range(50):
        with pytest.raises(GradientError, match="vjp wrong") as caught:
            check_vjp(fn, X, seed=seed)
        assert caught.value.verdict == "vjp wrong"
        assert 0.8 < float(str(caught.value).split("Taylor slope ")[1].split()[0]) < 1.2


def test_one_zero_among_ten_thousand_fails_and_is_found():
    def backward(g, x):
        kept = np.ones((40, 50))
        kept[17, 31] = 0
        return g * x.cos() * tc.tensor(kept)

    fn = with_backward(lambda x: x.sin(), backward)
    x = np.random.default_rng(3).normal(size=(40, 50))
    with pytest.raises(GradientError, match="input 0") as caught:
        check_vjp(fn, x)
    assert caught.value.index == (17, 31)
    assert caught.value.by_vjp == 0
    assert 0.5 < abs(caught.value.by_difference / np.cos(x[17, 31])) < 1.5  # u at that place


def test_a_wrong_second_derivative_fails():
    fn = with_backward(lambda x: x.sin(), lambda g, x: g * x.cos().detach())
    check_vjp(fn, X)
    with pytest.raises(GradientError, match="the gradient of Custom in input 0"):
        check_second_order(fn, X)


def test_a_vjp_that_is_not_the_adjoint_fails():
    check_adjoint(lambda x: x.t() * 2.0, X)
    fn = with_backward(lambda x: x * 2.0, lambda g, x: g * 2.000001)
    with pytest.raises(GradientError, match="adjoint"):
        check_adjoint(fn, X)
    with pytest.raises(GradientError, match="not linear"):
        check_adjoint(lambda x: x * x, X)


def test_randomness_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="not deterministic"):
        check_vjp(lambda x: x * rng.normal(), X)


# --- What is neither ----------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [0.0, 1e-5, -1e-5, 2e-4])
def test_a_kink_near_the_input_is_called_one(distance):
    with pytest.raises(GradientError, match="kink crossed: choose inputs with a gap"):
        check_vjp(tc.relu, np.array([distance, 1.0]))


def test_pooling_ties_are_a_kink():
    x = np.array([[[[1.0, 1.0 + 1e-6], [0.0, -1.0]]]])
    with pytest.raises(GradientError, match="kink crossed"):
        check_vjp(lambda x: F.max_pool2d(x, 2), x)


def test_a_wrong_vjp_next_to_a_kink_is_still_wrong():
    fn = with_backward(lambda x: x.relu(), lambda g, x: g * (x > 0).double() * 0.5)
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(fn, np.array([1e-5, 1.0]))


def test_rounding_inside_is_called_noise():
    fn = with_backward(lambda x: x.float().double(), lambda g, x: g)
    with pytest.raises(GradientError, match="difference noise"):
        check_vjp(fn, X)


# --- Kinks --------------------------------------------------------------------------------------


def test_kinks():
    check_kink(tc.abs, [0.0, 1.0], [0.0, 1.0])
    with pytest.raises(GradientError, match=r"not what is documented: wanted 1"):
        check_kink(tc.relu, [0.0], [1.0])
    doubled = with_backward(lambda x: x.amax(), lambda g, x: g * (x == x.amax()).double() * 2.0)
    with pytest.raises(GradientError, match="not between the slopes on the two sides"):
        check_kink(doubled, [3.0, 3.0], [2.0, 2.0])
    with pytest.raises(ValueError, match="expected has shape"):
        check_kink(tc.relu, [0.0], [[0.0]])


# --- Bad input ----------------------------------------------------------------------------------


def test_nothing_to_check_is_an_error():
    with pytest.raises(TypeError, match="must return a Tensor, or several, got float"):
        check_vjp(lambda x: 1.0, X)
    with pytest.raises(TypeError, match=r"no Tensor of floating point: int64"):
        check_vjp(lambda x: x.argmax(1), X)
    with pytest.raises(ValueError, match="no output requires grad"):
        check_vjp(lambda x: x.detach() * 2, X)
    with pytest.raises(ValueError, match="no input of floating point"):
        check_vjp(lambda x: x * 1.0, np.arange(3))
    with pytest.raises(ValueError, match="cannot differentiate by input 1"):
        check_vjp(lambda x, y: x * y, X, 2.0, wrt=1)
    with pytest.raises(ValueError, match=r"a direction has shape \(2,\), its input \(3, 4\)"):
        numerical_jvp(tc.exp, [X], [np.ones(2)])


# --- The pieces ---------------------------------------------------------------------------------


def test_differences_are_exact_to_nine_digits():
    v = signed(RNG, X.shape)
    assert numerical_jvp(tc.sin, [X], [v]) == pytest.approx(np.cos(X) * v, rel=1e-9)
    both = numerical_jvp(lambda x, w: (x * w, x + w), [X, X + 1], [v, None])
    assert both[0] == pytest.approx(v * (X + 1), rel=1e-9)
    assert both[1] == pytest.approx(v, rel=1e-9)


def test_taylor_slopes():
    v = signed(RNG, X.shape)
    assert taylor_slope(tc.sin, [X], [v], np.cos(X) * v) == pytest.approx(2, abs=0.1)
    assert taylor_slope(tc.sin, [X], [v], np.cos(X) * v * 1.0005) == pytest.approx(1, abs=0.1)
    assert taylor_slope(lambda x: x * 3.0, [X], [v], 3 * v) == np.inf


@pytest.mark.parametrize("seed", range(10))
def test_separated_values(seed):
    a, b = separated(
        np.random.default_rng(seed), (4, 5), (7,), low=-1, high=3, avoid=[0.0, 1.0], margin=0.1
    )
    values = np.sort(np.concatenate([a.ravel(), b]))
    assert values[0] >= -1
    assert values[-1] <= 3
    assert np.diff(values).min() > 3.6 / 27 * 0.49
    assert min(np.abs(values).min(), np.abs(values - 1).min()) >= 0.1
    assert separated(np.random.default_rng(seed), (0, 3))[0].shape == (0, 3)


# --- check_op -----------------------------------------------------------------------------------


@pytest.fixture
def broken():
    """Replace a vjp of a registered op for the test."""
    undo = []

    def breaks(op, name, vjp):
        undo.append((op, name, op.op.vjps[name]))
        op.defvjp(**{name: vjp})

    yield breaks
    for op, name, vjp in undo:
        op.defvjp(**{name: vjp})


def conv2d_x_scaled(g, w, x_shape, stride, padding, dilation, groups):
    return 1.0005 * ops.conv2d_input(
        g, w, x_shape=x_shape, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def test_a_scaled_vjp_of_conv2d_shrinks_to_a_small_call_with_a_snippet_that_runs(broken):
    broken(ops.conv2d, "x", conv2d_x_scaled)
    with pytest.raises(GradientError, match=r"conv2d in x \(1, 1, 1, 1\): vjp wrong") as caught:
        check_op("conv2d")
    snippet = str(caught.value).split("to see it again:\n")[1].replace("    ", "")
    with pytest.raises(GradientError, match="conv2d in x"):
        exec(snippet, {})


def avg_pool2d_x_square(g, x_shape, kernel_size, stride, padding, divisor):
    square = kernel_size[0] ** 2 / (kernel_size[0] * kernel_size[1])
    return ops.avg_pool2d_input(
        g, x_shape=x_shape, kernel_size=kernel_size, stride=stride, padding=padding, divisor=divisor
    ) * square  # fmt: skip


cat_xs = ops.cat.op.vjps["xs"]


def changes_g(g, y):
    if isinstance(g, np.ndarray):
        g *= 2.0
        return g * 0.5 * y
    return g * y


@pytest.mark.parametrize(
    ("op", "name", "vjp", "message"),
    [
        (ops.avg_pool2d, "x", avg_pool2d_x_square, "vjp wrong"),
        (ops.mean, "x", ops.sum.op.vjps["x"], "vjp wrong"),
        (ops.exp, "x", changes_g, "the vjp changed the cotangent"),
        (ops.exp, "x", lambda g, y: g * y + 1.0, "vjp wrong"),
        (ops.exp, "x", lambda g, y: g * y * np.ones(y.shape), "in float32 the vjp makes float64"),
        (ops.tanh, "x", lambda g, y: g * (1.0 - y), "vjp wrong"),
        (ops.mul, "b", lambda g, a, b: g * a * 1.0005, "vjp wrong"),
        (ops.cat, "xs", lambda g, xs_shape, dim: cat_xs(g, 0, xs_shape, dim), "shape|vjp wrong"),
        (ops.sigmoid, "x", lambda g, y: g * y * (1.0 - getattr(y, "_array", y)), "the gradient of"),
        (ops.batch_norm, "x", lambda g: g, "vjp wrong"),
    ],
)  # fmt: skip
def test_wrong_vjps_fail(broken, op, name, vjp, message):
    broken(op, name, vjp)
    with pytest.raises(GradientError, match=message):
        check_op(op)


def test_a_wrong_forward_fails():
    check_op("mul", reference=lambda a, b: a * b)
    with pytest.raises(GradientError, match="mul: forward disagrees with its reference"):
        check_op("mul", reference=lambda a, b: a * b * 1.0005)


def test_conventions_are_checked():
    check_op("relu", conventions=[(tc.relu, [0.0], [0.0])])
    with pytest.raises(GradientError, match="not what is documented"):
        check_op("relu", conventions=[(tc.relu, [0.0], [0.5])])


def test_bad_strategies_are_errors():
    with pytest.raises(ValueError, match="nothing was checked"):
        check_op("exp", st.just(Call((np.zeros((0, 2)),))))
    with pytest.raises(ValueError, match="nothing was checked"):
        check_op("exp", st.just(Call((np.arange(3),))))
    with pytest.raises(TypeError, match="must draw Calls, got int"):
        check_op("exp", st.just(3))
    with pytest.raises(TypeError, match="not an op"):
        check_op(np.exp)
    with pytest.raises(LookupError, match="no strategy"):
        strategy_for(with_strategy_for_nothing())


def with_strategy_for_nothing():
    @tc.op
    def op_for_which_nothing_is_registered(x):
        return x

    del registry["op_for_which_nothing_is_registered"]
    return op_for_which_nothing_is_registered


def test_fixed_random_numbers():
    random = FixedRandom(1)
    assert np.array_equal(random((2, 3)), random((2, 3)))
    assert repr(random) == "FixedRandom(seed=1)"


def test_half_a_thousandth_is_noticed_in_float32_too():
    fn = with_backward(lambda x: x.sin(), lambda g, x: g * x.cos() * 1.0005)
    for seed in range(20):
        with pytest.raises(GradientError, match="vjp wrong"):
            check_vjp(fn, X.astype(np.float32), seed=seed)
        check_vjp(tc.sin, X.astype(np.float32), seed=seed)
        check_second_order(tc.sin, X.astype(np.float32), seed=seed)


@pytest.mark.parametrize("name", sorted(registry))
def test_calls_are_shown_as_code_that_makes_them_again(name):
    if not registry[name].forward.__module__.startswith("tinygrad_cnn.ops."):
        return

    @settings(max_examples=5, phases=[Phase.generate])
    @given(strategy_for(name))
    def check(call):
        code = snippet(registry[name], call).rsplit("\n", 1)[0]
        exec(code, scope := {})
        assert repr(scope["call"]) == repr(call)
        for a, b in zip(scope["call"].inputs, call.inputs, strict=True):
            np.testing.assert_array_equal(a, b)

    check()
