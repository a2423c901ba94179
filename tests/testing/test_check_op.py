"""check_op: wrong vjps and forwards fail, and each failure shrinks to a small call."""

import numpy as np
import pytest
from hypothesis import strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn import ops
from tinygrad_cnn.engine import registry
from tinygrad_cnn.testing import Call, GradientError, check_op, strategy_for


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


def test_a_numpy_function_in_a_vjp_is_explained(broken):
    """NumPy's ufuncs that have an op are differentiated again; the others say what to use."""
    broken(ops.exp, "x", lambda g, y: np.multiply(g, y))
    check_op("exp")
    broken(ops.exp, "x", lambda g, y: g * np.cbrt(y) ** 3)
    with pytest.raises(GradientError, match=r"np\.cbrt has no gradient here"):
        check_op("exp")
