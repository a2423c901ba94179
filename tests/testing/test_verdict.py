"""200 random cases: no false alarm, no wrong gradient passes, and every verdict is right."""

import numpy as np
import pytest
from hypothesis import Phase, settings

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.autograd import Function
from tinygrad_cnn.engine import registry, variant
from tinygrad_cnn.testing import (
    Call,
    GradientError,
    check_adjoint,
    check_call,
    check_convention,
    check_kink,
    check_op,
    check_second_order,
    check_vjp,
)
from tinygrad_cnn.testing.mutation.base import Watch
from tinygrad_cnn.testing.mutation.gradients import gradients_of
from tinygrad_cnn.testing.values import separated

CASES = range(200 if settings().max_examples > 100 else 50)  # more in the nightly profile


def off_by(size, forward, backward):
    """A function whose backward is the given one times 1 + size."""

    class Off(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors) * (1 + size)

    return Off.apply


def values(seed, *shape, **how):
    return separated(np.random.default_rng(seed), shape, **how)[0]


def shape_of(seed):
    return ((3,), (2, 3), (4, 1), (), (2, 2, 2))[seed % 5]


SMOOTH = [tc.sin, tc.tanh, tc.exp, tc.sigmoid, lambda x: x * x.cos(), lambda x: (x * x).sum()]


# --- 200 right ones pass, 200 wrong ones fail -----------------------------------------------------


def test_check_vjp():
    for seed in CASES:
        x = values(seed, *shape_of(seed))
        check_vjp(SMOOTH[seed % len(SMOOTH)], x, seed=seed)
        check_vjp(tc.relu, values(seed, 5, avoid=[0.0]), seed=seed)
        with pytest.raises(GradientError, match="vjp wrong"):
            check_vjp(off_by(5e-4, tc.sin, lambda g, x: g * x.cos()), x, seed=seed)


def test_check_second_order():
    wrong = off_by(5e-4, lambda x: x * x * x, lambda g, x: 3.0 * g * x * x / 1.0005)
    check_vjp(wrong, values(0, 3))

    def second_off(g, x):
        d = 3.0 * g * x * x
        return d + 5e-4 * (g * x * x - (g * x * x).detach())

    wrong = off_by(0.0, lambda x: x * x * x, second_off)
    for seed in CASES:
        x = values(seed, *shape_of(seed), avoid=[0.0], margin=0.3)
        check_second_order(SMOOTH[seed % len(SMOOTH)], x, seed=seed)
        check_vjp(wrong, x, seed=seed)
        with pytest.raises(GradientError, match="second derivative wrong"):
            check_second_order(wrong, x, seed=seed)


def test_check_adjoint():
    for seed in CASES:
        x, w = values(seed, 2, 3), values(seed + 1, 3, 4)
        check_adjoint(lambda x, w: x @ w, x, w, seed=seed)
        with pytest.raises(GradientError, match="not the adjoint"):
            check_adjoint(off_by(5e-4, lambda x: x * 2.0, lambda g, x: g * 2.0), x, seed=seed)


def test_check_kink():
    for seed in CASES:
        x = values(seed, 4, avoid=[0.0])
        x[seed % 4] = 0.0
        check_kink(tc.relu, x, x > 0)
        check_kink(tc.abs, x, np.sign(x))
        with pytest.raises(GradientError, match="not what is documented"):
            check_kink(tc.relu, x, (x > 0) * 1.0005 + (x == 0) * 5e-4)


@pytest.mark.parametrize("name", ["softmax", "maximum", "avg_pool2d"])
def test_check_op_of_a_hundred_calls_and_of_a_wrong_vjp_each_time(name):
    op = registry[name]
    with_many(200)(check_op, name)
    for input in op.vjps:
        wrong = next(m for m in gradients_of(input) if m.name == "× 1.0005").make(op, Watch())
        for seed in range(5):
            with pytest.raises(GradientError, match="vjp wrong"):
                with_many(30, seed)(check_op, wrong)


def with_many(examples, seed=None):
    """A function that runs a check with this number of examples, from this seed."""

    def run(check, *args):
        before = settings.get_current_profile_name()
        settings.register_profile(
            "many", settings(), max_examples=examples, derandomize=seed is None, database=None,
            phases=[Phase.generate],
        )  # fmt: skip
        settings.load_profile("many")
        try:
            check(*args)
        finally:
            settings.load_profile(before)

    return run


@pytest.mark.parametrize("scale", [1e-1, 1e-2, 2e-3, 1e-3])
def test_a_step_too_large_for_a_function_of_small_inputs_is_no_alarm(scale):
    # The step 2⁻¹⁰ is large for the σ of such a batch. The error falls as h⁴ for smaller steps.
    def norm(x):
        return F.batch_norm(x, None, None, training=True)

    def wrong(x):  # its gradient is 1 − 5e-4 of the right one
        return norm(x) + 5e-4 * (norm(x.detach()) - norm(x))

    for seed in range(10):
        x = scale * np.random.default_rng(seed).standard_normal((4, 3, 2))
        check_vjp(norm, x, seed=seed)
        check_second_order(norm, x, seed=seed)
        with pytest.raises(GradientError, match="vjp wrong"):
            check_vjp(wrong, x, seed=seed)


# --- Near a kink ----------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", [1e-9, 1e-8, 1e-6, -1e-5, 3e-4])
@pytest.mark.parametrize(
    "fn",
    [tc.relu, tc.abs, lambda x: tc.maximum(x, x * 0.5), lambda x: F.leaky_relu(x, 0.1),
     lambda x: tc.relu(x) * x.exp(), lambda x: x.clamp(min=0.0).sum() * x.sin()],
)  # fmt: skip
def test_a_right_vjp_near_a_kink_passes(fn, distance):
    for seed in range(10):
        check_vjp(fn, np.array([distance, 1.0, -0.7]), seed=seed)


def test_on_a_kink_what_is_between_both_slopes_agrees():
    beyond = off_by(0.0, tc.relu, lambda g, x: g * ((x > 0).double() - (x == 0).double() * 0.01))
    for seed in range(10):
        check_vjp(tc.abs, np.array([0.0, 1.0]), seed=seed)
        check_vjp(tc.relu, np.array([0.0, 1.0]), seed=seed)
        with pytest.raises(GradientError, match="the slopes on its two sides"):
            check_vjp(beyond, np.array([0.0, 1.0]), seed=seed)


@pytest.mark.parametrize("distance", [0.0, 1e-8, 1e-6, -1e-5, 3e-4])
@pytest.mark.parametrize("size", [5e-4, 0.1, -1.0])
def test_a_wrong_vjp_near_a_kink_is_called_wrong_at_its_index(distance, size):
    wrong = off_by(0.0, tc.relu, lambda g, x: g * (x > 0).double() * tc.tensor([1.0, 1 + size, 1]))
    for seed in range(10):
        with pytest.raises(GradientError, match="vjp wrong") as caught:
            check_vjp(wrong, np.array([distance, 1.0, 0.7]), seed=seed)
        if abs(distance) < 1e-7:
            assert caught.value.index == (1,)


def test_a_constant_function_with_a_wrong_vjp_is_no_kink():
    wrong = off_by(0.0, lambda x: x * 0.0, lambda g, x: g * 1e-3)
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(wrong, np.array([1.0, 2.0]))


def test_a_small_error_beside_noise_is_not_called_wrong():
    """Of a function that rounds to float32 inside, an error of 1e-7 cannot be seen."""
    for seed in range(20):
        rough = off_by(1e-7, lambda x: x.float().double(), lambda g, x: g)
        check_vjp(rough, values(seed, 3, 4), seed=seed)


# --- The snippet of a failure ---------------------------------------------------------------------


def snippet_of(error):
    lines = str(error).split("to see it again:\n")[1].split("\n")
    return "\n".join(line.removeprefix("    ") for line in lines if line.startswith("    "))


@pytest.fixture
def wrong_op():
    """Put a wrong copy of an op in the registry for the test."""
    undo = []

    def put(op):
        undo.append((op.name, registry[op.name]))
        registry[op.name] = op
        return op

    yield put
    for name, op in undo:
        registry[name] = op


class Twice:
    """A forward that returns twice the output of the op."""

    __module__ = "tinygrad_cnn.ops.elementwise"

    def __init__(self, op):
        self.op, self.__defaults__ = op, op.forward.__defaults__
        self.__kwdefaults__ = op.forward.__kwdefaults__

    def __call__(self, *xs, **how):
        return 2 * self.op.forward(*xs, **how)


@pytest.mark.parametrize(
    ("name", "change", "verdict"),
    [
        ("mul", {"a": lambda g, b: g * b * 1.0005}, "vjp wrong"),
        ("exp", {"x": lambda g, y: g * tc.tensor(y.numpy()) if hasattr(y, "numpy") else g * y},
         "second derivative wrong|raised RuntimeError"),
        ("exp", {"x": lambda g, y: g * y * np.ones(y.shape)}, "in float32 the vjp makes float64"),
        ("exp", {"x": lambda g, y: np.multiply(g, y, out=g) if isinstance(g, np.ndarray) else g * y},
         "the vjp changed the cotangent"),
        ("relu", {"x": lambda g, x: g * (x >= 0)}, "not what is documented"),
        ("sin", Twice, "forward disagrees with its reference"),
    ],
)  # fmt: skip
def test_the_snippet_of_a_failure_fails_alike(wrong_op, name, change, verdict):
    op = registry[name]
    wrong = variant(op, change(op)) if isinstance(change, type) else variant(op, vjps=change)
    wrong_op(wrong)
    with pytest.raises(GradientError, match=verdict) as caught:
        check_op(name)
    with pytest.raises(GradientError, match=verdict) as again:
        exec(snippet_of(caught.value), {})
    assert again.value.verdict == caught.value.verdict
    assert again.value.input == caught.value.input
    assert again.value.index == caught.value.index


def test_the_error_says_where_a_forward_is_off_by_how_much():
    with pytest.raises(GradientError, match="forward disagrees with its reference") as caught:
        check_call(
            "mul", Call((np.array([1.0, 2.0]), np.array([3.0, 4.0]))), lambda a, b: a * b + [0, 1]
        )
    assert "at index (1,): 8 by the forward, 9 by the reference" in str(caught.value)
    assert "snippet" not in str(caught.value)
    with pytest.raises(GradientError, match="forward disagrees with its reference"):
        exec(snippet_of(caught.value), {})


def test_a_convention_is_checked_for_the_input_named():
    call = Call((np.array([1.0, 2.0]), np.array([1.0, 0.0])))
    check_convention("maximum", call, "a", [0.5, 1.0])
    check_convention("maximum", call, "b", [0.5, 0.0])
    with pytest.raises(GradientError, match="maximum in b: not what is documented: wanted 1"):
        check_convention("maximum", call, "b", [1.0, 0.0])
