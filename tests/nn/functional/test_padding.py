"""Padding with the cells of the image, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F
from tinygrad_cnn.testing import check_second_order, check_vjp

NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
MODES = st.sampled_from(sorted(NUMPY))


@given(MODES, st.integers(1, 3), st.booleans(), st.integers(0, 2**32))
def test_padding_is_numpys(mode, n, batched, seed):
    rng = np.random.default_rng(seed)
    plane = rng.integers(1, 5, n)
    most = {"reflect": plane, "replicate": plane + 3, "circular": plane + 1}[mode]
    before, behind = rng.integers(0, most).tolist(), rng.integers(0, most).tolist()
    x = rng.normal(size=(*([2, 3] if batched else [3]), *plane))
    widths = [w for pair in zip(before[::-1], behind[::-1], strict=True) for w in pair]
    around = [(0, 0)] * (x.ndim - n) + list(zip(before, behind, strict=True))
    y = F.pad(tc.tensor(x), widths, mode)
    np.testing.assert_array_equal(y.numpy(), np.pad(x, around, NUMPY[mode]))


@given(MODES, st.integers(0, 3), st.integers(0, 3), st.integers(0, 2**32))
def test_negative_numbers_crop(mode, before, behind, seed):
    x = np.random.default_rng(seed).normal(size=(2, 8))
    y = F.pad(tc.tensor(x), (-before, -behind), mode)
    np.testing.assert_array_equal(y.numpy(), x[:, before : 8 - behind])
    left = F.pad(tc.tensor(x), (-before, 2), mode)
    np.testing.assert_array_equal(
        left.numpy(), np.pad(x[:, before:], [(0, 0), (0, 2)], NUMPY[mode])
    )


@pytest.mark.parametrize("mode", sorted(NUMPY))
def test_derivatives(mode):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    check_vjp(lambda x: F.pad(x, (2, 1, 1, 2), mode), x)
    check_second_order(lambda x: F.pad(x * x, (2, 1, 1, 2), mode), x)


def test_dtypes_layouts_and_a_batch_of_nothing():
    assert F.pad(tc.tensor([[1, 2]]), (1, 0), "replicate").tolist() == [[1, 1, 2]]
    x = tc.randn(2, 3, 4, 5)
    turned = x.permute(0, 3, 1, 2)
    wanted = np.pad(turned.numpy(), [(0, 0), (0, 0), (1, 1), (1, 1)], "reflect")
    np.testing.assert_array_equal(F.pad(turned, (1, 1, 1, 1), "reflect").numpy(), wanted)
    assert F.pad(x[:0], (1, 1, 1, 1), "circular").shape == (0, 3, 6, 7)


X = tc.zeros(1, 2, 4, 5)


def test_constant_padding_of_two_axes_one_of_which_is_cropped():
    x = np.random.default_rng(0).normal(size=(3, 4))
    pad = lambda x: F.pad(x, (1, 2, -1, 0), value=0.5)  # noqa: E731
    wanted = np.pad(x[1:], ((0, 0), (1, 2)), constant_values=0.5)
    np.testing.assert_array_equal(pad(tc.tensor(x)).numpy(), wanted)
    check_vjp(pad, x)
    check_second_order(pad, x)
    x32 = tc.tensor(x.astype(np.float32), requires_grad=True)
    y = pad(x32)
    y.sum().backward()
    assert y.dtype == x32.grad.dtype == tc.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.pad(X, 1), TypeError, r"pad\(\): argument 'pad' must be tuple of ints, got 1"),
        (lambda: F.pad(X, (1.0, 1)), TypeError, "must be tuple of ints"),
        (lambda: F.pad(X, (1, 1), "mirror"), NotImplementedError,
         "Unrecognised padding mode mirror"),
        (lambda: F.pad(X, (1, 1), "reflect"), NotImplementedError,
         "Padding size 2 is not supported for 4D input tensor"),
        (lambda: F.pad(X, (1, 1, 1, 1), "reflect", 1.0), RuntimeError,
         'Padding mode "reflect" doesn\'t take in value argument'),
        (lambda: F.pad(X, (5, 1, 1, 1), "reflect"), RuntimeError,
         "Padding size should be less than the corresponding input dimension, but got: padding "
         r"\(5, 1\) at dimension 3"),
        (lambda: F.pad(X, (6, 1, 1, 1), "circular"), RuntimeError,
         "Padding value causes wrapping around more than once"),
        (lambda: F.pad(X, (-3, -3, 0, 0), "replicate"), RuntimeError, "leaves too little"),
        (lambda: F.pad(X[..., :0], (1, 1, 1, 1), "replicate"), RuntimeError,
         "non-zero dimensions for input, but got"),
        (lambda: F.pad(X, (-3, -3)), RuntimeError, "length must be non-negative"),
        (lambda: F.pad([1.0], (1, 1)), TypeError,
         r"pad\(\): argument 'input' \(position 1\) must be Tensor, not list"),
    ],
)  # fmt: skip
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
