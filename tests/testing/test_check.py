"""Right gradients pass, wrong ones fail with the right verdict, and noise is reported as noise."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.testing import (
    GradientError,
    check_adjoint,
    check_kink,
    check_second_order,
    check_vjp,
)

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


# --- Right functions pass -------------------------------------------------------------------------


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


# --- Wrong functions fail -------------------------------------------------------------------------


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
    assert 0.5 < abs(caught.value.by_difference / np.cos(x[17, 31])) < 1.5  # u at this index


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


def test_half_a_thousandth_is_noticed_in_float32_too():
    fn = with_backward(lambda x: x.sin(), lambda g, x: g * x.cos() * 1.0005)
    for seed in range(20):
        with pytest.raises(GradientError, match="vjp wrong"):
            check_vjp(fn, X.astype(np.float32), seed=seed)
        check_vjp(tc.sin, X.astype(np.float32), seed=seed)
        check_second_order(tc.sin, X.astype(np.float32), seed=seed)


# --- Kinks and noise ------------------------------------------------------------------------------


KINK = "at a kink: choose inputs with a gap"


@pytest.mark.parametrize("distance", [1e-9, 1e-5, -1e-5, 2e-4])
def test_steps_shrink_near_a_kink(distance):
    check_vjp(tc.relu, np.array([distance, 1.0]))


def test_relu_of_a_thousand_normal_numbers_is_no_kink():
    for seed in range(30):
        check_vjp(tc.relu, np.random.default_rng(seed).normal(size=1000), seed=seed)


def test_at_a_kink_every_gradient_between_the_slopes_is_right():
    x = np.array([0.0, 1.0, -2.0])
    for slope in (-1.0, -0.3, 0.0, 0.5, 1.0):
        check_vjp(np.abs, x, vjp=lambda g, x, s=slope: g * np.where(x == 0, s, np.sign(x)))
    for slope in (-2.0, 1.01, 2.0):
        with pytest.raises(GradientError, match="the slopes on its two sides are") as caught:
            check_vjp(np.abs, x, vjp=lambda g, x, s=slope: g * np.where(x == 0, s, np.sign(x)))
        assert caught.value.verdict == "vjp wrong"
        assert caught.value.index == (0,)
    check_vjp(tc.relu, np.array([1.0, 0.0]))


@pytest.mark.parametrize("fn", [tc.floor, tc.round, tc.sign, tc.ceil], ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("x", [0.0, 0.5, 1.0])
def test_a_right_vjp_at_a_jump_is_not_called_wrong(fn, x):
    verdict = "cannot tell here"
    try:
        check_vjp(fn, np.array([x, 0.3]))
    except GradientError as error:
        verdict = error.verdict
    assert verdict.startswith("cannot tell here")


def test_kinks_of_several_outputs_do_not_cancel():
    both = lambda x: np.stack([np.maximum(x, 0), np.maximum(-x, 0)])  # noqa: E731
    check_vjp(both, np.zeros(2), vjp=lambda g, x: g[0] * (x > 0) - g[1] * (x < 0))


def test_ties_are_paid_once():
    """A tie may pay either element, not both: seen along all of them at once."""
    x = np.array([[[[1.0, 1.0], [0.0, -1.0]]]])
    check_vjp(lambda x: F.max_pool2d(x, 2), x)
    check_vjp(lambda x: x.amax(), np.array([3.0, 3.0, 1.0]))
    double = lambda g, x: g * (x == x.max())  # noqa: E731
    with pytest.raises(GradientError, match="along 2 elements at once"):
        check_vjp(np.max, np.array([3.0, 3.0, 1.0]), vjp=double)
    a, b = np.array([1.0, 0.0]), np.array([1.0, 2.0])
    check_vjp(np.maximum, a, b, vjp=lambda g, a, b: (g * (a >= b), g * (b > a)))
    with pytest.raises(GradientError, match="input 0 and input 1") as caught:
        check_vjp(np.maximum, a, b, vjp=lambda g, a, b: (g * (a >= b), g * (b >= a)))
    assert caught.value.verdict == "vjp wrong"


def test_where_branches_meet_the_gradient_is_one_of_theirs():
    """The slope of a median of equal numbers is 0 along each, and its gradient is that of one."""

    def middle(g, x):
        return g * (np.arange(3) == np.argsort(x, kind="stable")[1])

    with pytest.raises(GradientError, match=KINK):
        check_vjp(np.median, np.zeros(3), vjp=middle)
    check_vjp(np.median, np.zeros(3), vjp=middle, allow_unseen=True)
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(np.median, np.zeros(3), vjp=lambda g, x: g * np.array([0.0, 1.0, 0.0]))


def test_a_vjp_that_depends_on_a_state_or_on_strides_is_not_deterministic():
    calls = iter(range(1000))
    sometimes = lambda g, x: 2 * g * x * (next(calls) % 4 != 0)  # noqa: E731
    with pytest.raises(GradientError, match="not deterministic"):
        check_vjp(np.square, np.array([1.0, 2.0, 3.0]), vjp=sometimes)


def test_a_direction_along_which_all_cancels_is_not_chosen():
    """A part of 1e-3 too much, of a gradient of ±1: along (1, 1) it would cancel."""
    wrong = lambda g, x: g * np.array([1.0, -1.0]) * 1.001  # noqa: E731
    for seed in range(50):
        with pytest.raises(GradientError, match="vjp wrong"):
            check_vjp(lambda x: x[0] - x[1], np.ones(2), vjp=wrong, seed=seed, directions=1)


def test_agreement_to_single_precision_alone_is_said():
    x = np.array([0.5, 1.0, 1.5])
    with pytest.raises(GradientError, match="agrees to single precision, and not to double"):
        check_vjp(np.sin, x, vjp=lambda g, x: g * np.cos(x) * (1 + 3e-7))
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(np.sin, x, vjp=lambda g, x: g * np.cos(x) * (1 + 1e-5))


def test_what_is_smooth_at_small_steps_is_no_rounding():
    """A wave of 1e-3 and a period of 1e-12 is none of rounding: it is not passed over."""
    for seed in range(5):
        x = np.random.default_rng(seed).normal(size=seed + 1)
        with pytest.raises(GradientError, match="cannot tell here"):
            check_vjp(lambda x: x + 1e-3 * np.sin(1e12 * x), x, vjp=lambda g, x: g)


def test_a_gradient_of_zero_for_stairs_by_rounding():
    single = lambda x: x.astype(np.float32).astype(np.float64)  # noqa: E731
    with pytest.raises(GradientError, match="staircase"):
        check_vjp(single, X, vjp=lambda g, x: 0 * g)
    check_vjp(np.floor, np.array([0.5, 1.5, 2.7]), vjp=lambda g, x: 0 * g)


def test_a_wrong_vjp_next_to_a_kink_is_still_wrong():
    fn = with_backward(lambda x: x.relu(), lambda g, x: g * (x > 0).double() * 0.5)
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(fn, np.array([1e-5, 1.0]))


def test_rounding_inside_hides_small_errors_alone():
    rounds = lambda x: x.float().double()  # noqa: E731
    check_vjp(with_backward(rounds, lambda g, x: g), X)
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(with_backward(rounds, lambda g, x: g * 1.01), X)
    with pytest.raises(GradientError, match="cannot tell here"):
        check_vjp(lambda x: x + 1e19, X)
    check_vjp(lambda x: x + 1e19, X, allow_unseen=True)


# --- check_kink -----------------------------------------------------------------------------------


def test_kinks():
    check_kink(tc.abs, [0.0, 1.0], [0.0, 1.0])
    with pytest.raises(GradientError, match=r"not what is documented: wanted 1"):
        check_kink(tc.relu, [0.0], [1.0])
    doubled = with_backward(lambda x: x.amax(), lambda g, x: g * (x == x.amax()).double() * 2.0)
    with pytest.raises(GradientError, match="not between the slopes on the two sides"):
        check_kink(doubled, [3.0, 3.0], [2.0, 2.0])
    with pytest.raises(ValueError, match="expected has shape"):
        check_kink(tc.relu, [0.0], [[0.0]])


def test_a_gradient_that_is_nan_on_purpose():
    def size(x):
        return tc.hypot(x, tc.zeros(2))

    check_kink(size, [0.0, 2.0], [np.nan, 1.0])
    with pytest.raises(GradientError, match=r"wanted 0\n  at index \(0,\): nan by the vjp"):
        check_kink(size, [0.0, 2.0], [0.0, 1.0])
    with pytest.raises(GradientError, match="wanted nan"):
        check_kink(tc.abs, [0.0], [np.nan])


# --- Bad input ------------------------------------------------------------------------------------


def test_nothing_to_check_is_an_error():
    with pytest.raises(TypeError, match="must return a Tensor, or several, got float"):
        check_vjp(lambda x: 1.0, X)
    with pytest.raises(TypeError, match=r"no Tensor of floating point: torch\.int64"):
        check_vjp(lambda x: x.argmax(1), X)
    with pytest.raises(ValueError, match="no output requires grad"):
        check_vjp(lambda x: x.detach() * 2, X)
    with pytest.raises(ValueError, match="no input of floating point"):
        check_vjp(lambda x: x * 1.0, np.arange(3))
    with pytest.raises(ValueError, match="cannot differentiate by input 1"):
        check_vjp(lambda x, y: x * y, X, 2.0, wrt=1)
