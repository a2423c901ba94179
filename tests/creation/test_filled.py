"""Tensors filled with one value: sizes, dtypes, keywords, and `out`."""

import numpy as np
import pytest

import tinygrad_cnn as tc

OF_A_SIZE = ["zeros", "ones", "empty", "rand", "randn"]
LIKE = ["zeros_like", "ones_like", "empty_like", "rand_like", "randn_like"]
NEW = ["new_zeros", "new_ones", "new_empty"]


@pytest.mark.parametrize(
    ("make", "dtype", "values"),
    [
        (lambda: tc.full((2,), True), "bool", [True, True]),
        (lambda: tc.full((2,), 3, dtype=tc.float16), "float16", [3.0, 3.0]),
        (lambda: tc.full((1,), tc.tensor(2)), "int64", [2]),
        (lambda: tc.full(size=(1,), fill_value=2), "int64", [2]),
        (lambda: tc.full((1,), np.float32(0.5)), "float32", [0.5]),
        (lambda: tc.full_like(tc.ones(1), 2), "float32", [2.0]),
        (lambda: tc.zeros(size=(1, 2)), "float32", [[0.0, 0.0]]),
        (lambda: tc.zeros(()), "float32", 0.0),
        (lambda: tc.zeros(tc.tensor(2)), "float32", [0.0, 0.0]),
        (lambda: tc.ones(2, dtype=tc.long), "int64", [1, 1]),
        (lambda: tc.ones(2, dtype=bool), "bool", [True, True]),
        (lambda: tc.zeros_like(tc.arange(2)), "int64", [0, 0]),
        (lambda: tc.zeros_like(x=tc.arange(2), dtype=float), "float64", [0.0, 0.0]),
        (lambda: tc.ones(1).double().new_zeros(2), "float64", [0.0, 0.0]),
        (lambda: tc.arange(2).new_full((1,), 3), "int64", [3]),
        (
            lambda: tc.arange(2).new_full(size=(1,), fill_value=3.0, dtype=tc.float32),
            "float32",
            [3.0],
        ),
        (lambda: tc.arange(2).new_ones(size=(2,)), "int64", [1, 1]),
    ],
)
def test_values_and_types(make, dtype, values):
    x = make()
    assert x.dtype is getattr(tc, dtype)
    assert x.tolist() == values


@pytest.mark.parametrize("name", OF_A_SIZE + NEW)
def test_a_size_is_integers_or_one_sequence_of_them(name):
    make = getattr(tc, name) if name in OF_A_SIZE else getattr(tc.ones(1), name)
    for x in (
        make(2, 3),
        make((2, 3)),
        make([2, 3]),
        make(size=(2, 3)),
        make(tc.ones(2, 3).size()),
    ):
        assert x.shape == (2, 3)
    for call, error, message in (
        (lambda: make(2.5), TypeError, "argument 'size' must be tuple of ints, not float"),
        (lambda: make("a"), TypeError, "argument 'size' must be tuple of ints, not str"),
        (lambda: make(2, "a"), TypeError, "element of type str at pos 1"),
        (lambda: make(2, size=(2,)), TypeError, "multiple values for argument 'size'"),
        (lambda: make(-1), RuntimeError, "negative dimension -1"),
        (lambda: make(2, banana=1), TypeError, "unexpected keyword argument 'banana'"),
    ):
        with pytest.raises(error, match=message):
            call()


@pytest.mark.parametrize("name", OF_A_SIZE + LIKE + NEW)
def test_keywords(name):
    make, args = (
        (getattr(tc, name), (2,)) if name in OF_A_SIZE
        else (getattr(tc, name), (tc.ones(2),)) if name in LIKE
        else (getattr(tc.ones(1), name), (2,))
    )  # fmt: skip
    x = make(
        *args,
        dtype=tc.float64,
        layout=tc.strided,
        device="cpu",
        requires_grad=True,
        pin_memory=True,
    )
    assert x.dtype == tc.float64
    assert x.requires_grad
    assert x.is_leaf
    for keywords, error, message in (
        (
            {"dtype": "float32"},
            TypeError,
            f"{name.removeprefix('new_')}.*must be torch.dtype, not str",
        ),
        ({"layout": "strided"}, TypeError, "argument 'layout' must be torch.layout, not str"),
        ({"device": "cuda"}, RuntimeError, "device 'cuda' is not available"),
        ({"device": 1.5}, TypeError, "argument 'device' must be torch.device, not float"),
    ):
        with pytest.raises(error, match=message):
            make(*args, **keywords)
    with pytest.raises((RuntimeError, NotImplementedError), match="floating point"):
        make(*args, dtype=tc.int64, requires_grad=True)


@pytest.mark.parametrize("name", ["empty", *LIKE])
def test_a_memory_format_is_accepted(name):
    make, x = getattr(tc, name), tc.ones(1, 2, 3, 4)
    first = x.shape if name == "empty" else x
    assert make(first, memory_format=tc.channels_last).shape == x.shape
    with pytest.raises(
        TypeError, match="argument 'memory_format' must be torch.memory_format, not str"
    ):
        make(first, memory_format="channels_last")
    with pytest.raises(TypeError, match="memory_format"):
        tc.zeros(2, memory_format=tc.channels_last)


@pytest.mark.parametrize("name", LIKE)
def test_a_number_is_no_tensor(name):
    with pytest.raises(
        TypeError, match=rf"{name}\(\): argument 'input' \(position 1\) must be Tensor"
    ):
        getattr(tc, name)(2.0)


def test_out_is_filled_in_its_own_dtype():
    out = tc.ones(2, dtype=tc.int64)
    assert tc.zeros(2, out=out) is out
    assert (out.dtype, out.tolist()) == (tc.int64, [0, 0])
    assert tc.full((2,), 3, out=out).tolist() == [3, 3]
    assert tc.ones(2, dtype=tc.int64, out=out).tolist() == [1, 1]
    with pytest.raises(
        RuntimeError, match="Expected out tensor to have dtype torch.float64, but got torch.int64"
    ):
        tc.zeros(2, dtype=tc.float64, out=out)
    assert out.tolist() == [1, 1]
    floats = tc.ones(2)
    assert tc.zeros(2, out=floats, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match=r"zeros\(\): functions with out=... arguments don't"):
        tc.zeros(2, out=floats)


@pytest.mark.parametrize(
    "value", ["a", tc.ones(2), np.ones(2)], ids=["text", "Tensor with axes", "array with axes"]
)
def test_a_fill_value_is_a_number(value):
    for call in (lambda: tc.full((2,), value), lambda: tc.full_like(tc.ones(2), value),
                 lambda: tc.ones(1).new_full((2,), value)):  # fmt: skip
        with pytest.raises(TypeError, match="argument 'fill_value' .* must be Number, not"):
            call()


@pytest.mark.parametrize("name", ["zeros", "ones", "empty", "rand", "randn"])
def test_a_size_is_wanted(name):
    with pytest.raises(TypeError, match=rf'{name}\(\) missing 1 required .*"size"'):
        getattr(tc, name)()
    assert getattr(tc, name)(()).shape == getattr(tc, name)(size=()).shape == ()
