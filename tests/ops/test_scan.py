"""Running sums and products, and products over an axis: with zeros, and of no elements."""

import numpy as np
import pytest

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp


def gradient(fn, x):
    x = tc.tensor(np.array(x), requires_grad=True)
    fn(x).sum().backward()
    return x.grad.tolist()


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
        ([2.0, 0.0, 4.0], [0.0, 8.0, 0.0]),
        ([0.0, 0.0, 4.0], [0.0, 0.0, 0.0]),
        ([0.0], [1.0]),
    ],
)
def test_a_product_divides_by_no_element(x, expected):
    assert gradient(lambda x: x.prod(), x) == expected
    assert gradient(lambda x: x.prod(0), x) == expected
    assert gradient(lambda x: x.unsqueeze(0).prod(1, keepdim=True), x) == expected


def test_a_running_product_divides_by_no_element():
    # y = a, ab, abc
    assert gradient(lambda x: x.cumprod(0), [2.0, 3.0, 4.0]) == [16.0, 10.0, 6.0]
    assert gradient(lambda x: x.cumprod(0), [2.0, 0.0, 4.0]) == [1.0, 10.0, 0.0]
    assert gradient(lambda x: x.cumprod(0), [0.0, 0.0, 4.0]) == [1.0, 0.0, 0.0]


def test_second_derivatives_at_a_zero():
    x = np.array([[1.5, 0.0, -2.0], [0.5, 1.0, 3.0]])
    for fn in (lambda x: x.prod(), lambda x: x.prod(1), lambda x: x.cumprod(1)):
        check_vjp(fn, x)
        check_second_order(fn, x)


def test_a_running_sum_passes_on_what_comes_after():
    assert gradient(lambda x: x.cumsum(0), [5.0, 6.0, 7.0]) == [3.0, 2.0, 1.0]


def test_nothing_and_integers():
    assert tc.zeros(0).prod().item() == 1.0
    assert tc.zeros(0, 2).cumprod(0).shape == (0, 2)
    assert tc.tensor([1, 2, 3], dtype=tc.uint8).cumsum(0).dtype == tc.int64
    assert tc.tensor([True, True]).prod().dtype == tc.int64
    assert tc.tensor(2.0).cumsum(0).tolist() == 2.0
