"""Making tensors: types, sizes, and what is drawn."""

import numpy as np
import pytest

import tinygrad_cnn as tc


@pytest.mark.parametrize(
    ("make", "dtype", "values"),
    [
        (lambda: tc.tensor([]), "float32", []),
        (lambda: tc.tensor([[1, 2.5]]), "float32", [[1.0, 2.5]]),
        (lambda: tc.tensor([np.float64(1.5), 2.0]), "float64", [1.5, 2.0]),
        (lambda: tc.tensor([np.ones(1), np.zeros(1)]), "float64", [[1.0], [0.0]]),
        (lambda: tc.tensor([tc.tensor(1.5), tc.tensor(2)]), "float32", [1.5, 2.0]),
        (lambda: tc.tensor(range(3)), "int64", [0, 1, 2]),
        (lambda: tc.full((2,), True), "bool", [True, True]),
        (lambda: tc.full((2,), 3, dtype=tc.float16), "float16", [3.0, 3.0]),
        (lambda: tc.full((1,), tc.tensor(2)), "int64", [2]),
        (lambda: tc.full_like(tc.ones(1), 2), "float32", [2.0]),
        (lambda: tc.zeros(size=(1, 2)), "float32", [[0.0, 0.0]]),
        (lambda: tc.ones(2, dtype=tc.long), "int64", [1, 1]),
        (lambda: tc.arange(start=1, end=6, step=2), "int64", [1, 3, 5]),
        (lambda: tc.arange(3.0), "float32", [0.0, 1.0, 2.0]),
        (lambda: tc.arange(tc.tensor(2)), "int64", [0, 1]),
        (lambda: tc.linspace(0, 1, 3), "float32", [0.0, 0.5, 1.0]),
        (lambda: tc.logspace(0, 2, 3), "float32", [1.0, 10.0, 100.0]),
        (lambda: tc.eye(1, 2), "float32", [[1.0, 0.0]]),
        (lambda: tc.ones(1).double().new_zeros(2), "float64", [0.0, 0.0]),
        (lambda: tc.arange(2).new_full((1,), 3), "int64", [3]),
        (lambda: tc.arange(2).new_tensor([1.5]), "int64", [1]),
        (lambda: tc.scalar_tensor(2), "float32", 2.0),
        (lambda: tc.normal(tc.arange(2.0), 0.0), "float32", [0.0, 1.0]),
        (lambda: tc.bernoulli(tc.ones(2)), "float32", [1.0, 1.0]),
        (lambda: tc.randint(high=1, size=(2,)), "int64", [0, 0]),
        (lambda: tc.multinomial(tc.tensor([0.0, 1.0]), 2, replacement=True), "int64", [1, 1]),
    ],
)
def test_values_and_types(make, dtype, values):
    x = make()
    assert str(x.dtype) == dtype
    assert x.tolist() == values


def test_what_is_drawn_lies_where_it_should():
    generator = tc.Generator().manual_seed(0)
    x = tc.rand(1000, generator=generator, dtype=tc.float64)
    assert 0 <= x.min().item() < x.max().item() < 1
    x = tc.randn(1000, generator=generator)
    assert abs(x.mean().item()) < 0.2
    assert abs(x.std().item() - 1) < 0.1
    x = tc.randint(2, 5, (1000,), generator=generator)
    assert set(x.tolist()) == {2, 3, 4}
    assert sorted(tc.randperm(9, generator=generator).tolist()) == list(range(9))
    x = tc.bernoulli(tc.full((1000,), 0.25), generator=generator)
    assert abs(x.mean().item() - 0.25) < 0.06
    x = tc.multinomial(tc.tensor([1.0, 0.0, 3.0]), 1000, True, generator=generator)
    assert abs((x == 2).double().mean().item() - 0.75) < 0.06
    same = tc.rand(3, generator=generator.manual_seed(0))
    assert same.tolist() == tc.rand(3, generator=generator.manual_seed(0)).tolist()


def test_requires_grad():
    assert tc.zeros(2, requires_grad=True).is_leaf
    assert tc.full((2,), 1.0, requires_grad=True).requires_grad
    assert tc.ones(2).new_ones(2, requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tc.zeros(-1), RuntimeError, "negative dimension -1"),
        (lambda: tc.zeros(2.5), TypeError, "must be tuple of ints, not float"),
        (lambda: tc.zeros(2, device="cuda"), RuntimeError, "'cuda' is not there"),
        (lambda: tc.arange(0, 1, -1), RuntimeError, "inconsistent with step sign"),
        (lambda: tc.arange(0, 1, 0), RuntimeError, "step must be nonzero"),
        (lambda: tc.randint(3, 3, (1,)), RuntimeError, "'from' to be less than 'to'"),
        (lambda: tc.rand(1, dtype=tc.long), NotImplementedError, "floating point"),
        (lambda: tc.normal(0.0, -1.0, (1,)), RuntimeError, "std >= 0.0"),
        (lambda: tc.bernoulli(tc.tensor([1.5])), RuntimeError, "p_in >= 0 && p_in <= 1"),
        (lambda: tc.multinomial(tc.tensor([1.0]), 2), RuntimeError, "without replacement"),
        (lambda: tc.multinomial(tc.tensor([-1.0]), 1), RuntimeError, "element < 0"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
