"""Extremes as functions and methods: their three forms, named results, NaN, no elements."""

import copy
import pickle

import numpy as np
import pytest

import tinygrad_cnn as tc

X = tc.tensor([[1.0, 5.0, 2.0], [3.0, 2.0, 4.0]])


def test_the_forms_of_max_and_min():
    other = tc.tensor(2.5)
    for name, whole, pair in (
        ("max", 5.0, [[2.5, 5.0, 2.5], [3.0, 2.5, 4.0]]),
        ("min", 1.0, [[1.0, 2.5, 2.0], [2.5, 2.0, 2.5]]),
    ):
        function, method = getattr(tc, name), getattr(X, name)
        assert function(X).item() == method().item() == whole
        for y in (function(X, other), function(X, other=other), method(other), method(other=other),
                  function(x1=X, x2=other)):  # fmt: skip
            assert y.tolist() == pair
        for y in (function(X, 1), function(X, dim=1), method(axis=1), function(input=X, dim=-1)):
            assert y.values.tolist() == getattr(tc, "a" + name)(X, 1).tolist()
            assert y.indices.tolist() == getattr(tc, "arg" + name)(X, 1).tolist()
        assert function(X, 1, True).values.shape == method(1, keepdims=True).indices.shape == (2, 1)
        for wrong in ({"dim": 0, "other": other}, {"other": other, "keepdim": True}):
            with pytest.raises(TypeError, match=rf"^{name}\(\) received an invalid combination"):
                function(X, **wrong)
        with pytest.raises(TypeError, match=rf"{name}: dim must be an integer, got \(0, 1\)"):
            function(X, (0, 1))


def test_results_have_names_and_print_as_pytorchs():
    values, indices = result = tc.max(X, 1)
    assert (result.values is values, result.indices is indices) == (True, True)
    assert repr(result) == (
        "torch.return_types.max(\nvalues=tensor([5., 4.]),\nindices=tensor([1, 2]))"
    )
    assert repr(tc.aminmax(X)) == "torch.return_types.aminmax(\nmin=tensor(1.),\nmax=tensor(5.))"
    for twin in (copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert type(twin) is type(result)
        assert twin.indices.tolist() == [1, 2]


def test_out_of_several():
    values, indices = tc.empty(0), tc.empty(0, dtype=tc.int64)
    result = tc.max(X, 1, out=(values, indices))
    assert (result.values is values, result.indices is indices) == (True, True)
    assert (values.tolist(), indices.tolist()) == ([5.0, 4.0], [1, 2])
    pair = tc.aminmax(X, dim=0, out=(tc.empty(0), tc.empty(0)))
    assert pair.max.tolist() == [3.0, 5.0, 4.0]
    assert tc.median(X, 1, out=(values, indices)).values is values
    assert tc.max(X, tc.tensor(2.0), out=tc.empty(0)).shape == (2, 3)
    with pytest.raises(TypeError, match=r"max\(\): out must be 2 Tensors, got 1"):
        tc.max(X, 1, out=values)


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin", "argmax", "argmin"])
def test_extremes_of_nothing_are_an_error(name):
    with pytest.raises(IndexError, match=rf"{name}\(\): Expected reduction dim .*shape \(0, 3\)"):
        getattr(tc.zeros(0, 3), name)(0)
    with pytest.raises(
        (IndexError, RuntimeError), match=rf"{name}\(\): Expected reduction dim to be specified"
    ):
        getattr(tc.zeros(0, 3), name)()  # PyTorch: a RuntimeError
    assert getattr(tc.zeros(0, 3), name)(1) is not None


@pytest.mark.parametrize("name", ["aminmax", "median"])
def test_nothing_to_choose_along_an_axis(name):
    with pytest.raises(IndexError, match="Expected reduction dim to have non-zero size"):
        getattr(tc.zeros(0, 3), name)(dim=0)


def test_a_median_is_the_lower_one_and_nan_wins():
    assert tc.median(X).item() == 2.0
    assert tc.median(X, 1).values.tolist() == [2.0, 3.0]
    assert X.median(dim=1, keepdim=True).indices.tolist() == [[2], [0]]
    nan = tc.tensor([[1.0, np.nan], [2.0, 3.0]])
    assert np.isnan(nan.median().item())
    assert nan.median(1).indices.tolist() == [1, 0]
    assert np.isnan(tc.zeros(0).median().item())
    assert tc.tensor(3.0).median(0).values.item() == 3.0


def test_the_gradient_of_a_median():
    x = tc.tensor([1.0, 2.0, 2.0, 5.0], requires_grad=True)
    x.median().backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.5, 0.0]
    x.grad = None
    x.median(0).values.backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0, 0.0]


def test_nan_takes_the_gradient_of_a_maximum_that_is_nan():
    x = tc.tensor([1.0, np.nan, 2.0], requires_grad=True)
    x.max().backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_positions():
    assert tc.argmax(X).item() == 1
    assert X.argmin(dim=0, keepdim=True).tolist() == [[0, 1, 0]]
    assert tc.argmax(X, 1, out=tc.empty(0, dtype=tc.int64)).tolist() == [1, 2]
    assert tc.argmax(X, None, True).tolist() == [[1]]
    assert tc.argmax(X).dtype == tc.int64


@pytest.mark.parametrize(
    "name", ["max", "min", "amax", "amin", "argmax", "argmin", "median", "aminmax"]
)
def test_a_number_is_no_tensor(name):
    with pytest.raises(
        TypeError, match=rf"^{name}\(\): argument 'input' \(position 1\) must be Tensor, not"
    ):
        getattr(tc, name)(2.0)


def test_the_median_of_one_number_and_of_none():
    x = tc.tensor(2.0, requires_grad=True)
    x.median().backward()
    assert x.grad.item() == 1.0
    assert tc.zeros(0, requires_grad=True).median().requires_grad
