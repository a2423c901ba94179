"""Every checker raises an error if there is nothing to check, instead of passing."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import (
    GradientError,
    check_adjoint,
    check_kink,
    check_second_order,
    check_vjp,
)

X = np.array([0.5, -1.5, 2.0])


def kink(fn, x):
    check_kink(fn, x, np.ones(np.shape(x)))


CHECKS = [check_vjp, check_second_order, check_adjoint, kink]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("made", [None, 3.0, X, (), [None]])
def test_a_function_that_returns_no_tensor(check, made):
    with pytest.raises(TypeError, match="must return a Tensor, or several, got"):
        check(lambda x: made, X)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("fn", [lambda x: x.argmax(), lambda x: x > 0, lambda x: x.long()])
def test_a_function_that_returns_no_floating_point(check, fn):
    with pytest.raises(TypeError, match=r"no Tensor of floating point: torch\.(int64|bool)"):
        check(fn, X)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("fn", [lambda x: x.detach() * 2.0, lambda x: tc.tensor(x.tolist())])
def test_a_function_that_is_cut_off_from_its_input(check, fn):
    with pytest.raises(ValueError, match="no output requires grad, though input 0"):
        check(fn, X)


@pytest.mark.parametrize("check", CHECKS[:3])
@pytest.mark.parametrize("inputs", [(), (3,), (np.arange(3),), (tc.tensor([1, 2]), "name")])
def test_no_input_to_differentiate_by(check, inputs):
    with pytest.raises(ValueError, match="no input of floating point to differentiate by"):
        check(lambda *xs: tc.ones(1), *inputs)


@pytest.mark.parametrize("check", [check_vjp, check_second_order])
def test_an_input_that_cannot_be_differentiated_by(check):
    for wrt in (1, 2, [0, 5]):
        with pytest.raises(ValueError, match="cannot differentiate by input"):
            check(lambda x, k: x * k, X, np.arange(3), wrt=wrt)


@pytest.mark.parametrize("check", CHECKS)
def test_a_function_that_is_not_deterministic(check):
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError) as caught:
        check(lambda x: x * rng.normal(), X)
    assert caught.value.verdict == "not deterministic"
