"""The text of tensors, compared with PyTorch's."""

import numpy as np
import pytest

import tinygrad_cnn as tc


@pytest.fixture(autouse=True)
def default_options():
    yield
    tc.set_printoptions(profile="default")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tc.tensor(1.5), "tensor(1.5000)"),
        (lambda: tc.tensor([1e9, 1.0]), "tensor([1.0000e+09, 1.0000e+00])"),
        (lambda: tc.tensor([1.5, 2000.0]), "tensor([1.5000e+00, 2.0000e+03])"),
        (lambda: tc.tensor([0.0, 1e-5]), "tensor([0.0000e+00, 1.0000e-05])"),
        (lambda: tc.tensor([100.0, 1.0]), "tensor([100.,   1.])"),
        (lambda: tc.tensor([float("inf"), -2.5]), "tensor([    inf, -2.5000])"),
        (lambda: tc.tensor([float("nan")] * 2), "tensor([nan, nan])"),
        (lambda: tc.zeros(0), "tensor([])"),
        (lambda: tc.zeros(0, dtype=tc.long), "tensor([], dtype=torch.int64)"),
        (lambda: tc.tensor([7], dtype=tc.uint8), "tensor([7], dtype=torch.uint8)"),
        (lambda: tc.tensor([[True], [False]]), "tensor([[ True],\n        [False]])"),
        (lambda: tc.zeros(1, 2, 1), "tensor([[[0.],\n         [0.]]])"),
        (lambda: tc.zeros(2, 1, 1), "tensor([[[0.]],\n\n        [[0.]]])"),
        (lambda: tc.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
        (
            lambda: tc.arange(30),
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])",
        ),
        (
            lambda: tc.arange(4000).reshape(1000, 4),
            "tensor([[   0,    1,    2,    3],\n        [   4,    5,    6,    7],\n"
            "        [   8,    9,   10,   11],\n        ...,\n"
            "        [3988, 3989, 3990, 3991],\n        [3992, 3993, 3994, 3995],\n"
            "        [3996, 3997, 3998, 3999]])",
        ),
        (
            lambda: tc.full((6,), 12345.678, dtype=tc.float64, requires_grad=True),
            "tensor([12345.6780, 12345.6780, 12345.6780, 12345.6780, 12345.6780, 12345.6780],\n"
            "       dtype=torch.float64, requires_grad=True)",
        ),
    ],
)
def test_texts(make, text):
    assert repr(make()) == text


def test_options():
    x = tc.tensor([1.23456, 100.0])
    tc.set_printoptions(precision=2)
    assert repr(x) == "tensor([  1.23, 100.00])"
    tc.set_printoptions(sci_mode=True)
    assert repr(x) == "tensor([1.23e+00, 1.00e+02])"
    tc.set_printoptions(profile="short", sci_mode=False)
    assert repr(x) == "tensor([  1.23, 100.00])"
    tc.set_printoptions(profile="default", threshold=3, edgeitems=1)
    assert repr(tc.arange(9)) == "tensor([0,  ..., 8])"
    tc.set_printoptions(profile="default", linewidth=20)
    assert repr(tc.arange(6)) == "tensor([0, 1, 2, 3,\n        4, 5])"


def test_one_number_formats_as_a_number():
    assert f"{tc.tensor(1.5):.2f} {tc.tensor(3):03d} {tc.tensor(2.5)}" == "1.50 003 2.5"
    assert f"{tc.ones(1)}" == "tensor([1.])"
    with pytest.raises(TypeError, match="unsupported format string"):
        f"{tc.ones(1):.2f}"


def test_the_printed_digits_of_float16_are_those_of_its_value():
    assert repr(tc.tensor([0.1], dtype=tc.float16)) == "tensor([0.1000], dtype=torch.float16)"
    assert repr(tc.from_numpy(np.float16([65504]))) == "tensor([65504.], dtype=torch.float16)"
