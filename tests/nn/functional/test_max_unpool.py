"""Max unpooling: the inverse of max pooling, if it has one."""

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp
from tinygrad_cnn.testing.values import separated

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
UNPOOL = {1: F.max_unpool1d, 2: F.max_unpool2d, 3: F.max_unpool3d}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling_puts_the_maxima_back(n):
    size = (5, 6, 7)[:n]
    x = tc.tensor(separated(np.random.default_rng(0), (2, 3, *size))[0])
    y, where = MAX[n](x, 2, return_indices=True)
    whole = UNPOOL[n](y, where, 2, output_size=x.shape)
    assert whole.equal(UNPOOL[n](y, where, 2, output_size=size))
    at = (whole != 0).numpy()
    assert at.sum() == y.numel()
    np.testing.assert_array_equal(whole.numpy()[at], x.numpy()[at])
    assert UNPOOL[n](y[0], where[0], 2, output_size=size).equal(whole[0])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_derivatives(n):
    (x,) = separated(np.random.default_rng(n), (2, 2, *(5, 4, 3)[:n]), low=0.2, high=2.0)

    def back(x):
        return UNPOOL[n](*MAX[n](x, 2, return_indices=True), 2, output_size=x.shape)

    check_vjp(back, x, directions=1)
    check_second_order(lambda x: back(x * x), x, directions=1)


X = tc.ones(1, 2, 4, 4)
Y, WHERE = F.max_pool2d(X, 2, return_indices=True)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.max_unpool2d(Y, WHERE.float(), 2), RuntimeError, "indices must be int64"),
        (lambda: F.max_unpool2d(Y, WHERE[:, :1], 2), RuntimeError, "of the shape of the input"),
        (lambda: F.max_unpool2d(Y, WHERE + 11, 2), RuntimeError,
         r"Found an invalid max index: 21 \(output volumes are of size 4x4\)"),
        (lambda: F.max_unpool2d(Y, WHERE, 2, output_size=(4,)), ValueError,
         "output_size should be a sequence containing 2 or 4 elements"),
        (lambda: F.max_unpool2d(Y, WHERE, 2, output_size=(4, 7)), ValueError,
         'invalid output_size "\\(4, 7\\)"'),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
