"""Medians, NaN in maxima, and counts."""

import tinygrad_cnn as tc


def test_median_takes_the_lower_and_nan_wins():
    assert tc.tensor([4.0, 1.0, 3.0, 2.0]).median().item() == 2.0
    assert tc.tensor([4.0, float("nan"), 3.0]).median(0).indices.item() == 1
    x = tc.tensor([2.0, 2.0, 5.0], requires_grad=True)
    x.median().backward()
    assert x.grad.tolist() == [0.5, 0.5, 0.0]


def test_nan_takes_the_gradient_of_a_maximum_that_is_nan():
    x = tc.tensor([1.0, float("nan"), 2.0], requires_grad=True)
    x.max().backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_counting():
    x = tc.tensor([[0, 3], [3, 1]])
    assert x.count_nonzero().item() == 3
    assert tc.bincount(x.flatten(), minlength=5).tolist() == [1, 1, 0, 2, 0]
    assert tc.histc(tc.tensor([0.0, 1.0, 1.0, 4.0]), 2).tolist() == [3.0, 1.0]
