"""Quantiles, the k-th smallest element and the mode, against NumPy; both derivatives; PyTorch's errors."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.testing import check_second_order, check_vjp

from .moves import X

INTERPOLATIONS = ["linear", "lower", "higher", "midpoint", "nearest"]


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("fn", [tc.quantile, tc.nanquantile])
def test_both_derivatives_of_quantiles(fn, interpolation):
    q = tc.tensor([0.1, 0.55, 1.0], dtype=tc.float64)
    for dim in (0, 1, None):
        check_vjp(lambda x, d=dim: fn(x, q, d, interpolation=interpolation), X)
        check_second_order(lambda x, d=dim: fn(x * x, 0.3, d, interpolation=interpolation), X)


def test_a_quantile_has_a_gradient_by_q():
    q = tc.tensor(0.3, dtype=tc.float64, requires_grad=True)
    tc.quantile(tc.tensor([0.0, 10.0, 30.0], dtype=tc.float64), q).backward()
    assert q.grad.item() == pytest.approx(20.0)  # 10 per step, two steps


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([None, 0, 1, 2]), st.booleans(),
    st.sampled_from(INTERPOLATIONS), st.sampled_from([0.0, 0.25, 0.5, 0.625, 1.0]), st.booleans(),
)  # fmt: skip
def test_quantiles_are_numpys(seed, dim, keepdim, method, q, holes):
    rng = np.random.default_rng(seed)
    a = rng.integers(-3, 4, (2, 3, 5)) + 0.5 * rng.random((2, 3, 5))
    if holes:
        a[rng.random(a.shape) < 0.3] = np.nan
    for mine, theirs in ((tc.quantile, np.quantile), (tc.nanquantile, np.nanquantile)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rows of NaN alone
            wanted = theirs(a, q, axis=dim, keepdims=keepdim, method=method)
        got = mine(tc.tensor(a), q, dim, keepdim, interpolation=method)
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-12, atol=1e-12)


def test_the_axis_of_q_comes_first():
    x, q = tc.ones(2, 3, 4), tc.tensor([0.1, 0.5])
    assert tc.quantile(x, q, 1).shape == (2, 2, 4)
    assert tc.quantile(x, q, 1, keepdim=True).shape == (2, 2, 1, 4)
    assert tc.quantile(x, q).shape == (2,)
    assert tc.quantile(x, q, keepdim=True).shape == (2, 1, 1, 1)
    assert tc.quantile(x, q[:0], 2).shape == (0, 2, 3)


def test_nan_is_the_quantile_of_its_row_alone():
    x = tc.tensor([[1.0, float("nan")], [1.0, 2.0]])
    assert tc.quantile(x, 0.0, 1).isnan().tolist() == [True, False]
    assert tc.nanquantile(x, 0.0, 1).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x.kthvalue(2).values,
        lambda x: tc.kthvalue(x, 3, 0, keepdim=True)[0],
        lambda x: x.mode(0).values,
        lambda x: tc.mode(x).values,
    ],
)
def test_both_derivatives_of_one_element(fn):
    check_vjp(fn, X)
    check_second_order(lambda x: fn(x) * fn(x), X)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1, -1]), st.booleans(), st.integers(1, 4))
def test_kthvalue_is_an_element_of_the_sorted_axis(seed, dim, keepdim, k):
    a = np.random.default_rng(seed).integers(0, 4, (4, 5)).astype(float)
    values, indices = tc.kthvalue(tc.tensor(a), k, dim, keepdim)
    wanted = np.take(np.sort(a, dim), [k - 1], dim)
    np.testing.assert_array_equal(values.numpy().reshape(wanted.shape), wanted)
    places = indices.numpy().reshape(wanted.shape)
    np.testing.assert_array_equal(np.take_along_axis(a, places, dim), wanted)
    assert values.shape == (wanted.shape if keepdim else np.squeeze(wanted, dim).shape)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 1]))
def test_mode_is_the_smallest_of_the_most_frequent(seed, dim):
    a = np.random.default_rng(seed).integers(0, 4, (6, 7))
    values, indices = tc.mode(tc.tensor(a), dim)
    rows = np.moveaxis(a, dim, -1)
    for row, value, index in zip(rows, values.tolist(), indices.tolist(), strict=True):
        there, count = np.unique(row, return_counts=True)
        assert value == there[count.argmax()]
        assert index == np.flatnonzero(row == value)[-1]


def test_named_results_print_copy_and_pickle():
    result = tc.tensor([3.0, 1.0]).kthvalue(1)
    assert repr(result) == "torch.return_types.kthvalue(\nvalues=tensor(1.),\nindices=tensor(1))"
    assert repr(tc.tensor([3, 3]).mode()).startswith("torch.return_types.mode(")
    again = pickle.loads(pickle.dumps(copy.deepcopy(result)))
    assert type(again) is type(result)
    assert again.indices.item() == 1


def test_out_takes_both_results():
    values, indices = tc.zeros(2), tc.zeros(2, dtype=tc.int64)
    tc.kthvalue(tc.tensor([[3.0, 1.0], [5.0, 9.0]]), 2, out=(values, indices))
    assert values.tolist() == [3.0, 9.0]
    assert indices.tolist() == [0, 1]


def test_nothing_is_recorded_without_grad():
    x = tc.tensor(X, requires_grad=True)
    with tc.no_grad():
        assert not tc.quantile(x, 0.5).requires_grad
        assert not tc.kthvalue(x, 1).values.requires_grad
    assert not tc.kthvalue(x, 1).indices.requires_grad
