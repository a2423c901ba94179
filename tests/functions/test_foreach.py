"""The functions of lists, beyond the answers that tests/conformance/test_machine.py replays."""

import pytest

import tinygrad_cnn as tc


def test_they_record_gradients():
    xs = [tc.ones(2, requires_grad=True), tc.ones(3, requires_grad=True)]
    sum(y.sum() for y in tc._foreach_mul(xs, 3.0)).backward()
    assert [x.grad.tolist() for x in xs] == [[3.0] * 2, [3.0] * 3]


def test_in_place_forms_refuse_leaves_that_require_grad():
    x = tc.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        tc._foreach_add_([x], 1.0)
    with tc.no_grad():
        tc._foreach_add_([x], 1.0)
    assert x.tolist() == [2.0, 2.0]


def test_an_unknown_one_is_an_error_of_the_package():
    with pytest.raises(AttributeError, match="tinygrad_cnn has no '_foreach_rocket'"):
        _ = tc._foreach_rocket
