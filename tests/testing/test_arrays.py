"""Functions of arrays with hand-written vjps: check_vjp(vjp=), Differentiable, check_op(forward=)."""

import numpy as np
import pytest
from hypothesis import strategies as st

from tinygrad_cnn import testing
from tinygrad_cnn.testing import Call, Differentiable, GradientError, check_op, check_vjp

X = np.array([0.5, -1.0, 2.0])
CALLS = testing.separated_arrays((2, 3)).map(lambda x: Call((x,)))


def power(x, *, k):
    return x**k


def power_vjp(g, x, *, k):
    return g * k * x ** (k - 1)


def wrong_power_vjp(g, x, *, k):
    return g * k * x**k


def product(a, b):
    return a @ b


def product_vjp(g, a, b):
    return g @ b.T, a.T @ g


@st.composite
def products(draw):
    i, j, k = draw(st.tuples(*[st.integers(1, 3)] * 3))
    return Call((draw(testing.separated_arrays((i, j))), draw(testing.separated_arrays((j, k)))))


def test_vjp_by_hand():
    check_vjp(np.tanh, X, vjp=lambda g, x: g * (1 - np.tanh(x) ** 2))
    with pytest.raises(GradientError, match="vjp wrong") as caught:
        check_vjp(np.tanh, X, vjp=lambda g, x: g * (1 - np.tanh(x)))
    assert caught.value.op == "tanh"


def test_several_outputs_get_a_tuple_of_cotangents():
    def vjp(g, x):
        assert isinstance(g, tuple)
        return g[0] * np.cos(x) - g[1] * np.sin(x)

    check_vjp(lambda x: (np.sin(x), np.cos(x)), X, vjp=vjp)


def test_none_stands_for_zeros():
    check_vjp(lambda a, b: a + 0 * b, X, X, vjp=lambda g, a, b: (g, None))
    with pytest.raises(GradientError, match="vjp wrong"):
        check_vjp(lambda a, b: a + b, X, X, vjp=lambda g, a, b: (g, None))


def test_numbers_and_lists_are_inputs():
    def vjp(g, a, b):
        return (g * b).sum(), g * a

    check_vjp(lambda a, b: a * b, 3.0, [0.5, -1.0], vjp=vjp)
    with pytest.raises(GradientError, match="input 0"):
        check_vjp(lambda a, b: a * b, 3.0, [0.5, -1.0], vjp=lambda g, a, b: (g.sum(), g * a))


def test_negative_wrt_counts_from_the_end():
    def wrong_first(g, a, b):
        return 2 * g * b, g * a

    check_vjp(np.multiply, X, X + 1, vjp=wrong_first, wrt=-1)
    for wrt in (-2, 0, [0, -1]):
        with pytest.raises(GradientError, match="input 0"):
            check_vjp(np.multiply, X, X + 1, vjp=wrong_first, wrt=wrt)
    with pytest.raises(ValueError, match="input -3"):
        check_vjp(np.multiply, X, X, vjp=wrong_first, wrt=-3)


def test_no_directions_are_an_error():
    with pytest.raises(ValueError, match="directions must be at least 1"):
        check_vjp(np.tanh, X, vjp=lambda g, x: g, directions=0)


def test_what_cannot_be_a_gradient_is_an_error():
    with pytest.raises(ValueError, match="a gradient for each of 2 inputs"):
        check_vjp(np.multiply, X, X, vjp=lambda g, a, b: g)
    with pytest.raises(ValueError, match="no input of floating point"):
        check_vjp(np.tanh, 3, vjp=lambda g, x: g)
    with pytest.raises(TypeError, match="no array of floating point"):
        check_vjp(lambda x: (x > 0).astype(int), X, vjp=lambda g, x: g)
    with pytest.raises(TypeError, match="has its own"):
        check_vjp(Differentiable(np.tanh, power_vjp), X, vjp=power_vjp)


def test_second_order_of_a_differentiable():
    def second(h, g, x):
        return h[0] * g * -np.sin(x), h[0] * np.cos(x)

    def vjp(g, x):
        return g * np.cos(x)

    testing.check_second_order(Differentiable(np.sin, vjp, second=second), X)
    wrong = Differentiable(np.sin, vjp, second=lambda h, g, x: (h[0] * g, h[0] * np.cos(x)))
    with pytest.raises(GradientError, match="second derivative wrong"):
        testing.check_second_order(wrong, X)
    with pytest.raises(GradientError, match="second derivative wrong"):
        check_op(wrong, CALLS)
    check_op(wrong, CALLS, second_order=False)


def test_other_checks_take_a_differentiable():
    relu = Differentiable(lambda x: np.maximum(x, 0), lambda g, x: g * (x > 0))
    testing.check_kink(relu, [0.0, 1.0], [0.0, 1.0])
    with pytest.raises(GradientError, match="not what is documented"):
        testing.check_kink(relu, [0.0], [1.0])
    testing.check_adjoint(Differentiable(product, product_vjp), np.ones((2, 3)), np.ones((3, 4)))
    with pytest.raises(GradientError, match="not the adjoint"):
        testing.check_adjoint(Differentiable(np.tanh, lambda g, x: g), X)


# --- check_op -------------------------------------------------------------------------------------


def test_check_op_of_functions():
    check_op(
        forward=product, vjp=product_vjp, strategy=products(), linear_in=["a", "b"],
        reference=np.dot,
    )  # fmt: skip
    with pytest.raises(GradientError, match="disagrees with its reference"):
        check_op(
            forward=product, vjp=product_vjp, strategy=products(), reference=lambda a, b: 2 * a @ b
        )
    with pytest.raises(GradientError, match="the function is not linear here") as caught:
        check_op(forward=np.sin, vjp=lambda g, x: g * np.cos(x), strategy=CALLS, linear_in=["x"])
    assert caught.value.check == "vjp is adjoint"


def test_attributes_go_to_both_functions_by_keyword():
    calls = CALLS.map(lambda call: Call(call.inputs, {"k": 3}))
    check_op(forward=power, vjp=power_vjp, strategy=calls)
    with pytest.raises(GradientError, match="vjp wrong") as caught:
        check_op(forward=power, vjp=wrong_power_vjp, strategy=calls)
    assert caught.value.input.startswith("x ")
    assert caught.value.check == "vjp is right"


def test_the_snippet_runs(tmp_path):
    calls = CALLS.map(lambda call: Call(call.inputs, {"k": 3}))
    with pytest.raises(GradientError) as caught:
        check_op(forward=power, vjp=wrong_power_vjp, strategy=calls)
    with pytest.raises(GradientError) as again:
        exec(caught.value.snippet, {"__name__": "snippet"})
    assert again.value.verdict == caught.value.verdict
    assert again.value.index == caught.value.index


def test_properties_beyond_the_derivative():
    def writes(g, x):
        g *= 2
        return g / 2 * np.cos(x)

    with pytest.raises(GradientError, match="changed the cotangent|read-only"):
        check_op(forward=np.sin, vjp=writes, strategy=CALLS)
    with pytest.raises(GradientError, match="float32"):
        check_op(
            forward=np.sin, vjp=lambda g, x: (g * np.cos(x)).astype(np.float32), strategy=CALLS
        )
    kept = []

    def stale(g, x):
        kept.append(x)
        return g * np.cos(kept[0])

    with pytest.raises(GradientError):
        check_op(forward=np.sin, vjp=stale, strategy=CALLS)


def test_conventions_of_functions():
    calls = testing.separated_arrays(avoid=[0.0]).map(lambda x: Call((x,)))
    given = {"forward": lambda x: np.maximum(x, 0), "vjp": lambda g, x: g * (x > 0)}
    fn = Differentiable(given["forward"], given["vjp"])
    check_op(**given, strategy=calls, conventions=[(fn, [0.0], [0.0])])
    check_op(**given, strategy=calls, conventions=[(Call((np.zeros(1),)), "x", [0.0])])
    with pytest.raises(GradientError, match="not what is documented"):
        check_op(**given, strategy=calls, conventions=[(Call((np.zeros(1),)), "x", [1.0])])


def test_what_to_check_is_given_once():
    for given in ({}, {"forward": np.sin}, {"vjp": power_vjp}):
        with pytest.raises(TypeError, match="forward= and vjp= together"):
            check_op(strategy=CALLS, **given)
    with pytest.raises(TypeError, match="forward= and vjp= together"):
        check_op("sin", forward=np.sin, vjp=power_vjp)
    with pytest.raises(LookupError, match="strategy="):
        check_op(forward=np.sin, vjp=power_vjp)


def test_nothing_to_differentiate_by():
    with pytest.raises(ValueError, match="nothing was checked"):
        check_op(forward=np.sin, vjp=power_vjp, strategy=st.just(Call((3,))))


def test_allow_unseen():
    stairs = {"forward": lambda x: np.floor(x * 64) / 64, "vjp": lambda g, x: g}
    call = {**stairs, "strategy": st.just(Call((np.array([0.3, 0.7]),)))}
    with pytest.raises(GradientError, match="cannot tell here") as caught:
        check_op(**call)
    assert "allow_unseen" not in caught.value.snippet
    check_op(**call, allow_unseen=True)
    check_vjp(stairs["forward"], np.array([0.3]), vjp=stairs["vjp"], allow_unseen=True)
    with pytest.raises(GradientError, match="vjp wrong") as caught:
        check_op(forward=np.sin, vjp=lambda g, x: g, strategy=CALLS, allow_unseen=True)
    assert "allow_unseen=True" in caught.value.snippet


def test_what_differences_cannot_tell_is_a_failure():
    def stairs(x):
        return np.floor(x * 64) / 64

    one = st.just(Call((np.array([0.3, 0.7]),)))
    given = {"forward": stairs, "vjp": lambda g, x: g, "strategy": one}
    with pytest.raises(GradientError) as caught:
        check_op(**given)
    assert caught.value.verdict.startswith("cannot tell here")
    assert "would not be seen" in str(caught.value)
    check_op(**given, allow_unseen=True)
