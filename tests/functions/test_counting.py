"""Counts of integers, and histograms."""

import numpy as np
import pytest

import tinygrad_cnn as tc


def test_bincount():
    x = tc.tensor([0, 2, 2])
    assert tc.bincount(x).tolist() == x.bincount().tolist() == [1, 0, 2]
    assert tc.bincount(input=x, minlength=4).tolist() == [1, 0, 2, 0]
    weighted = x.bincount(weights=tc.tensor([0.5, 1.0, 2.0]))
    assert weighted.tolist() == [0.5, 0.0, 3.0]
    assert weighted.dtype == tc.float32
    assert tc.bincount(x, tc.tensor([1, 2, 3])).dtype == tc.float64
    assert tc.bincount(tc.zeros(0, dtype=tc.int64)).tolist() == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.bincount(tc.tensor([-1])), RuntimeError, "1-d non-negative integral inputs"),
        (lambda: tc.bincount(tc.ones(2)), NotImplementedError, "not implemented for torch.float32"),
        (lambda: tc.bincount(tc.arange(2), tc.ones(3)), RuntimeError, "weights should be 1-d"),
        (
            lambda: tc.bincount(tc.arange(2), [1.0]),
            TypeError,
            "argument 'weights' .* must be Tensor",
        ),
        (lambda: tc.bincount(tc.arange(2), minlength=1.5), TypeError, "'minlength' must be int"),
        (lambda: tc.histc(tc.arange(2)), NotImplementedError, "not implemented for torch.int64"),
        (lambda: tc.histc(tc.ones(2), 2, 3, 1), RuntimeError, "max must be larger than min"),
        (lambda: tc.histc(tc.ones(2), 2.5), TypeError, "argument 'bins' must be int, not float"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_histc():
    x = tc.tensor([0.0, 1.0, 1.0, 3.0])
    assert tc.histc(x, bins=3).tolist() == x.histc(3).tolist() == [1.0, 2.0, 1.0]
    assert tc.histc(x, 2, min=0, max=2).tolist() == [1.0, 2.0]
    assert tc.histc(tc.ones(3), 4).tolist() == np.histogram(np.ones(3), 4, (0, 2))[0].tolist()
    out = tc.empty(0)
    assert tc.histc(x, 3, out=out) is out
